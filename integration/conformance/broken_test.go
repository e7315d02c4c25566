package conformance

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 says so
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// broken is a server that breaks one promise: a real one, with something between it and the
// client that changes what one of them sends.
type broken struct {
	t      *testing.T
	server *url.URL
	fault  fault
}

// start serves the broken server, and returns its address.
func (b *broken) start() *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(b.serve))
	return s
}

func (b *broken) serve(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		b.websocket(w, r)
		return
	}
	proxy := httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", b.server.Host
			p.Out.URL.RawQuery = b.fault.change(query, p.In.URL.RawQuery)
			if b.fault.change(query, "Last-Event-ID") == "" {
				p.Out.Header.Del("Last-Event-ID")
			}
			if in := p.In.Body; p.In.ContentLength > 0 {
				text, _ := io.ReadAll(in) // what is cut off is not JSON
				changed := b.fault.change(up, string(text))
				p.Out.Body, p.Out.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
			}
		},
		ModifyResponse: func(a *http.Response) error {
			var err error
			a.StatusCode, err = strconv.Atoi(b.fault.change(status, strconv.Itoa(a.StatusCode)))
			a.Status = http.StatusText(a.StatusCode)
			a.Header.Del("Content-Length")
			a.Body = b.lines(a.Body)
			return err
		},
	}
	proxy.ServeHTTP(w, r)
}

// lines changes a body line by line.
func (b *broken) lines(body io.ReadCloser) io.ReadCloser {
	in, out := io.Pipe()
	go func() {
		defer body.Close()
		for lines := bufio.NewScanner(body); lines.Scan(); {
			if _, err := io.WriteString(out, b.fault.change(down, lines.Text())+"\n"); err != nil {
				return
			}
		}
		_ = out.Close()
	}()
	return in
}

func (b *broken) websocket(w http.ResponseWriter, r *http.Request) {
	server, err := dial("http://"+b.server.Host+r.URL.Path, r.Header.Clone(), time.Hour)
	if rejected, ok := errors.AsType[rejectedHandshake](err); ok {
		code, _ := strconv.Atoi(b.fault.change(status, strconv.Itoa(rejected.status)))
		if code >= 1000 {
			b.rejectLate(w, r, code)
			return
		}
		http.Error(w, rejected.body, code)
		return
	}
	if err != nil {
		b.t.Error(err)
		return
	}
	defer server.close()
	client, in, err := http.NewResponseController(w).Hijack()
	if err != nil {
		b.t.Error(err)
		return
	}
	defer client.Close()
	// What waits for a slow reader waits in the server, as without something between.
	_ = server.conn.(*net.TCPConn).SetReadBuffer(32 << 10)
	_ = client.(*net.TCPConn).SetWriteBuffer(32 << 10)
	head := switching(r) + "\r\nSec-WebSocket-Protocol: " + server.answer.Header.Get("Sec-WebSocket-Protocol") +
		"\r\nSec-WebSocket-Extensions: " + server.answer.Header.Get("Sec-WebSocket-Extensions") + "\r\n\r\n"
	fmt.Fprint(client, b.fault.change(answer, head))
	var both sync.WaitGroup
	both.Go(func() {
		defer client.Close()
		b.pump(down, server.in, func(first byte, payload []byte) error { return plainFrame(client, first, payload) })
	})
	both.Go(func() {
		defer server.close()
		b.pump(up, in.Reader, server.frame)
	})
	both.Wait()
}

// switching returns the answer to a handshake, without the end of its last line.
func switching(r *http.Request) string {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // RFC 6455 says so
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:])
}

// rejectLate accepts a handshake that the server has rejected, and closes the connection with a code.
func (b *broken) rejectLate(w http.ResponseWriter, r *http.Request, code int) {
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		b.t.Error(err)
		return
	}
	defer client.Close()
	fmt.Fprint(client, switching(r)+"\r\n\r\n")
	_ = plainFrame(client, 0x80|opClose, []byte{byte(code >> 8), byte(code)}) // a client that is gone sees nothing
}

// pump passes frames on. A change to several lines makes several frames, and a change of text
// to nothing drops the frame.
func (b *broken) pump(d direction, in *bufio.Reader, out func(first byte, payload []byte) error) {
	for {
		first, payload, err := anyFrame(in)
		if err != nil {
			return
		}
		// Control frames and the first byte are changed as text of their own.
		kind := fmt.Sprintf("opcode %x:", first)
		changed := b.fault.change(d, kind+string(payload))
		if changed == kind+string(payload) { // also a compressed one, whatever bytes it has
			if out(first, payload) != nil {
				return
			}
			continue
		}
		for line := range strings.SplitSeq(changed, "\n") {
			text, ok := strings.CutPrefix(line, kind)
			if !ok && strings.HasPrefix(line, "opcode ") {
				head, rest, _ := strings.Cut(line, ":")
				_, _ = fmt.Sscanf(head, "opcode %x", &first)
				text = rest
			} else if !ok {
				text = line
			}
			if line != "" && out(first, []byte(text)) != nil {
				return
			}
		}
	}
}

// anyFrame reads a frame of either side.
func anyFrame(in *bufio.Reader) (first byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1] & 0x7f)
	var long [8]byte
	if n := map[uint64]int{126: 2, 127: 8}[size]; n > 0 {
		if _, err := io.ReadFull(in, long[8-n:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(long[:])
	}
	var mask [4]byte
	if head[1]&0x80 != 0 {
		if _, err := io.ReadFull(in, mask[:]); err != nil {
			return 0, nil, err
		}
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(in, payload)
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return head[0], payload, err
}

// plainFrame writes a frame of a server.
func plainFrame(w net.Conn, first byte, payload []byte) error {
	out := []byte{first}
	switch n := len(payload); {
	case n < 126:
		out = append(out, byte(n))
	case n < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, 126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 127), uint64(n))
	}
	_, err := w.Write(append(out, payload...))
	return err
}

// direction says what a fault changes.
type direction int

const (
	up     direction = iota // frames of the client, and bodies of its requests
	down                    // frames of the server, and lines of its event streams
	answer                  // the answer to a handshake
	status                  // the status of an answer over HTTP; 1000 and more: the code of a close after the handshake
	query                   // the query of an event stream, and the text Last-Event-ID
)

// fault breaks the promise of one check.
type fault struct {
	check    string
	where    direction
	old, new string // a regular expression and its replacement
	says     string // what the failure says
}

func (f fault) change(d direction, text string) string {
	if d != f.where {
		return text
	}
	return regexp.MustCompile("(?s)"+f.old).ReplaceAllString(text, f.new)
}

package attacks

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2 is a client of HTTP/2 that takes as much as it wants to.
type h2 struct {
	t      testing.TB
	host   string
	conn   net.Conn
	framer *http2.Framer
	block  bytes.Buffer
	enc    *hpack.Encoder
	next   uint32 // number of a stream
}

// h2 connects, with a window for each answer.
func (s target) h2(t testing.TB, window uint32) *h2 {
	t.Helper()
	c := &h2{t: t, host: string(s), conn: s.dial(t), next: 1}
	_ = c.conn.SetDeadline(time.Now().Add(3 * time.Minute))
	c.framer = http2.NewFramer(c.conn, c.conn)
	c.enc = hpack.NewEncoder(&c.block)
	if _, err := c.conn.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	if err := c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}); err != nil {
		t.Fatal(err)
	}
	return c
}

// get asks for something.
func (c *h2) get(path string, header ...string) {
	c.t.Helper()
	c.block.Reset()
	fields := append([]string{":method", "GET", ":scheme", "http", ":authority", c.host, ":path", path}, header...)
	for i := 0; i < len(fields); i += 2 {
		_ = c.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}) // into memory
	}
	err := c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: c.next, BlockFragment: c.block.Bytes(), EndHeaders: true, EndStream: true})
	if err != nil {
		c.t.Fatal(err)
	}
	c.next += 2
}

// until reads frames until so many streams have had one of this type.
func (c *h2) until(n int, kind http2.FrameType) string {
	seen := make(map[uint32]bool)
	for len(seen) < n {
		f, err := c.framer.ReadFrame()
		if err != nil {
			return fmt.Sprintf("%d of %d streams had %v: %v", len(seen), n, kind, err)
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = c.framer.WriteSettingsAck()
			}
		default:
			if h := f.Header(); h.Type == kind && h.StreamID != 0 {
				seen[h.StreamID] = true
			}
		}
	}
	return ""
}

// stopReading asks for everything that has an answer and takes nothing of it, over
// windows of zero, and waits until all of it was given up.
func stopReading(t *testing.T, s target, paths ...string) string {
	c := s.h2(t, 0)
	begin := time.Now()
	for _, path := range paths {
		c.get(path)
	}
	if e := c.until(len(paths), http2.FrameRSTStream); e != "" {
		return e
	}
	return "all given up (after " + time.Since(begin).Round(time.Second).String() + ")"
}

// stopTaking asks for so much that the socket is full, and reads nothing at all. The
// server can not even say that it gives up, and has to close the connection.
func stopTaking(t *testing.T, s target) string {
	c := s.h2(t, 1<<31-1)
	if err := c.framer.WriteWindowUpdate(0, 1<<30); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for range 100 {
		c.get("/rt/channels/open:long/messages?limit=8")
	}
	for time.Since(begin) < time.Minute {
		time.Sleep(time.Second)
		if err := c.framer.WritePing(false, [8]byte{}); err != nil {
			return "closed (after " + time.Since(begin).Round(time.Second).String() + ")"
		}
	}
	return "the connection is still there after a minute"
}

// takeNothing asks for a long history 1,000 times over 4 connections, takes nothing of
// it, and says what others see meanwhile.
func takeNothing(t *testing.T, s, admin target) string {
	before := admin.inUse(t)
	for range 4 {
		c := s.h2(t, 0)
		for range 250 {
			c.get("/rt/channels/open:long/messages?limit=1000")
		}
		if e := c.until(250, http2.FrameHeaders); e != "" {
			return e
		}
	}
	growth := int64(admin.heap(t, "HeapAlloc")-before) >> 20
	if e := s.othersAreServed(t); e != "" {
		return e
	}
	if a := s.send(t, request{"GET", "/rt/channels/open:long/messages?limit=1000", nil, ""}); a.status != 429 {
		return "the same address is answered with " + a.String()
	}
	if growth > 64 {
		return fmt.Sprintf("%d MiB more in use", growth)
	}
	return fmt.Sprintf("bounded, and others are served (%+d MiB)", growth)
}

// othersAreServed publishes from another address; empty when that is possible.
func (s target) othersAreServed(t *testing.T) string {
	t.Helper()
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 3)}}
	conn, err := d.Dial("tcp", string(s))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	a, err := exchange(conn, post("open:other", `{"content":1}`, jsonType).text(string(s)))
	if err != nil || a.status != 200 {
		return fmt.Sprintf("another address is answered with %v, %v", a, err)
	}
	return ""
}

// exchange sends a request and reads the answer.
func exchange(conn net.Conn, text string) (a answer, err error) {
	if _, err := io.WriteString(conn, text); err != nil {
		return a, err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{status: res.StatusCode, header: res.Header, body: string(body)}, err
}

package ws

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/internal/httpwriter"
)

// version is the only version of WebSocket there is (RFC 6455, section 4.4).
const version = "13"

// keyGUID is appended to a client's key. The hash of both proves that this is a WebSocket
// server (RFC 6455, section 1.3).
const keyGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// rejection is the answer to a handshake that is not accepted.
type rejection struct {
	status int
	detail string
	header http.Header // may be nil
}

func (f *rejection) answer(w http.ResponseWriter) {
	maps.Copy(w.Header(), f.header)
	problem.WriteStatus(w, f.status, f.detail)
}

// check returns why a handshake is rejected, or nil.
func check(r *http.Request) *rejection {
	if isConnect(r) {
		return checkVersion(r)
	}
	switch {
	case r.ProtoMajor != 1 || !websocket.IsWebSocketUpgrade(r):
		return &rejection{status: http.StatusBadRequest, detail: "this is not a WebSocket handshake"}
	case !r.ProtoAtLeast(1, 1):
		return &rejection{status: http.StatusBadRequest, detail: "a WebSocket handshake needs HTTP/1.1"}
	case r.Method != http.MethodGet:
		return &rejection{http.StatusMethodNotAllowed, "a WebSocket handshake is a GET request",
			http.Header{"Allow": {http.MethodGet}}}
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		// The body would be read as frames.
		return &rejection{status: http.StatusBadRequest, detail: "a WebSocket handshake has no body"}
	case !validKey(r.Header["Sec-Websocket-Key"]):
		return &rejection{status: http.StatusBadRequest, detail: "Sec-WebSocket-Key must be given once, 16 bytes in base64"}
	}
	return checkVersion(r)
}

func checkVersion(r *http.Request) *rejection {
	if slices.Equal(r.Header["Sec-Websocket-Version"], []string{version}) {
		return nil
	}
	h := http.Header{"Sec-Websocket-Version": {version}}
	if r.ProtoMajor == 1 { // a 426 must name the upgrade; HTTP/2 and HTTP/3 forbid these fields
		h["Upgrade"], h["Connection"] = []string{"websocket"}, []string{"Upgrade"}
	}
	return &rejection{http.StatusUpgradeRequired, "only version 13 of WebSocket is spoken here", h}
}

func validKey(keys []string) bool {
	if len(keys) != 1 {
		return false
	}
	b, err := base64.StdEncoding.DecodeString(keys[0])
	return err == nil && len(b) == 16
}

// acceptUpgrade answers an HTTP/1.1 handshake through the chain of writers. takeOver sends the
// answer.
func acceptUpgrade(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Upgrade"], h["Connection"] = []string{"websocket"}, []string{"Upgrade"}
	h["Sec-Websocket-Accept"] = []string{acceptKey(r.Header.Get("Sec-Websocket-Key"))}
	chooseSubprotocol(h, r)
	w.WriteHeader(http.StatusSwitchingProtocols)
}

// acceptConnect answers an extended CONNECT and sends the answer. It has no key to prove,
// because HTTP has negotiated the protocol.
func acceptConnect(w http.ResponseWriter, r *http.Request, s *stream) error {
	chooseSubprotocol(w.Header(), r)
	w.WriteHeader(http.StatusOK)
	return s.writes.Flush()
}

// chooseSubprotocol confirms the version that is spoken here, or a foreign one: the browser shows
// its page the close code of a connection only if one of the names that it offered is confirmed.
func chooseSubprotocol(h http.Header, r *http.Request) {
	name := ForeignVersion(r)
	if slices.Contains(offered(r), Subprotocol) {
		name = Subprotocol
	}
	if name != "" {
		h["Sec-Websocket-Protocol"] = []string{name}
	}
}

// ForeignVersion returns the first version of the native protocol that the client offers, such as
// realtime.v2, if it does not offer the one that is spoken here; otherwise an empty string. The
// caller of [Serve] refuses such a client with [protocol.ReasonVersion].
func ForeignVersion(r *http.Request) (foreign string) {
	for _, name := range offered(r) {
		number, ok := strings.CutPrefix(name, "realtime.v")
		if name == Subprotocol {
			return ""
		}
		if _, err := strconv.ParseUint(number, 10, 16); ok && err == nil && foreign == "" {
			foreign = name
		}
	}
	return foreign
}

// offered returns the subprotocols that the client offers.
func offered(r *http.Request) (names []string) {
	for _, line := range r.Header["Sec-Websocket-Protocol"] {
		for name := range strings.SplitSeq(line, ",") {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + keyGUID)) // RFC 6455 requires SHA-1; nothing depends on its strength
	return base64.StdEncoding.EncodeToString(sum[:])
}

// hijackerOf returns the server's own writer as a hijacker. It skips wrappers that can hijack,
// too: they usually return a wrapped connection, which keeps the request and the whole
// configuration in memory.
func hijackerOf(w http.ResponseWriter) (http.Hijacker, error) {
	base := httpwriter.Innermost(w)
	if h, ok := base.(http.Hijacker); ok {
		return h, nil
	}
	return nil, fmt.Errorf("ws: the response writer %T does not give access to the connection: it has neither Hijack nor Unwrap", base)
}

// takeOver takes the connection from the server, which writes the answer to the handshake then, see
// holdAnswer. early are the bytes that came with the handshake.
func takeOver(h http.Hijacker) (conn net.Conn, rw *bufio.ReadWriter, early []byte, err error) {
	conn, rw, err = h.Hijack()
	if err != nil {
		return nil, nil, nil, err
	}
	if n := rw.Reader.Buffered(); n > 0 {
		early = make([]byte, n)
		_, _ = io.ReadFull(rw.Reader, early) // can not fail: the bytes are buffered
	}
	return conn, rw, early, nil
}

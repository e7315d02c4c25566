package ws

import (
	"bufio"
	"cmp"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/rawtcp"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Subprotocol is the name of the native protocol in Sec-WebSocket-Protocol. The server chooses
// it if a client offers it. A client that offers nothing, or only other names, is served all
// the same; a browser then closes the connection by itself if it offered names. See
// [ForeignVersion] for the names of other versions.
const Subprotocol = "realtime.v1"

// Options are what [Serve] needs beside the request.
type Options struct {
	// Registry opens the session. The caller of Serve has called its Admission.Admit.
	Registry *session.Registry
	// Dialect is the wire protocol inside the frames.
	Dialect session.Dialect
	// Binary says that the dialect takes binary messages. Without it one closes the
	// connection.
	Binary bool
	// Principal is the client; nil is an anonymous one without an address.
	Principal *session.Principal
	// Refuse is the reason for which the connection is closed at once, in a protocol whose clients
	// learn only from a close code why they may not connect. Nil: a session is opened.
	Refuse *hub.Reason
	// Join, if it is not nil, is called instead of opening a session: the client has one already,
	// over another transport. It returns what the connection's messages go to, or nil if
	// the connection is to be closed. Such a connection has no compression, because what
	// is queued for it was encoded without. Dialect may be nil then.
	Join func(Link) Peer
	// Compression accepts permessage-deflate (RFC 7692) from clients that offer it.
	Compression bool
	// KeepStream is called before the handshake of an HTTP/2 or HTTP/3 stream. It removes the
	// server's bounds on the time of a request and on the size of its body, and returns the
	// body. Nil for servers without such bounds.
	KeepStream func(http.ResponseWriter, *http.Request) io.Reader
	// UserTimeout is how long the kernel waits for an acknowledgement of sent data before it
	// drops a TCP connection (TCP_USER_TIMEOUT; on Linux only, and not for HTTP/3); 0 means
	// the system's default.
	UserTimeout time.Duration
	// Conn returns the connection of a request without the wrappers of the server that pass
	// everything on; nil if it is unknown. Conn may be nil.
	Conn func(*http.Request) net.Conn
	// Stuck is called when a stream of HTTP/2 or HTTP/3 was aborted during a write, because
	// its client does not read. The handler returns all the same. The connection, which
	// other streams may share, may stay stuck. Stuck must not block, and may be nil.
	Stuck func(*http.Request)
	// Logger gets rejected handshakes (debug). It is not kept: a connection logs to the
	// hub's logger in force. Nil means none.
	Logger *slog.Logger
}

// IsUpgrade reports whether r is a WebSocket handshake of HTTP/1.1, HTTP/2 or HTTP/3. It need
// not be a valid one.
func IsUpgrade(r *http.Request) bool {
	return isConnect(r) || r.ProtoMajor == 1 && websocket.IsWebSocketUpgrade(r)
}

// isConnect reports whether r is an extended CONNECT for WebSocket. HTTP/2 keeps the
// pseudo-header :protocol in the header map, under a name that no real header can have. HTTP/3
// puts its value into Proto.
func isConnect(r *http.Request) bool {
	if r.Method != http.MethodConnect {
		return false
	}
	switch r.ProtoMajor {
	case 2:
		return r.Header.Get(":protocol") == "websocket"
	case 3:
		return r.Proto == "websocket"
	}
	return false
}

// Serve answers a handshake and runs the connection. On HTTP/1.1 it returns when the connection
// has a goroutine of its own, on HTTP/2 and HTTP/3 when the stream is over. It answers a bad
// handshake, too. An error means that nothing was answered, and that the fault is in the
// server: its writers do not give access to the connection.
func Serve(w http.ResponseWriter, r *http.Request, o Options) error {
	if f := check(r); f != nil {
		o.debug("handshake rejected", "status", f.status, "reason", f.detail)
		f.answer(w)
		return nil
	}
	if r.ProtoMajor == 1 {
		return serveSocket(w, r, o)
	}
	return serveStream(w, r, o)
}

func serveSocket(w http.ResponseWriter, r *http.Request, o Options) error {
	hijacker, err := hijackerOf(w)
	if err != nil {
		return err
	}
	t := o.terms(w.Header(), r)
	acceptUpgrade(w, r)
	var bare net.Conn
	if o.Conn != nil {
		bare = o.Conn(r)
		holdAnswer(bare)
	}
	conn, answer, early, err := takeOver(hijacker)
	if err == nil {
		conn = cmp.Or(bare, conn)
		rawtcp.SetUserTimeout(conn, o.UserTimeout)
		err = start(conn, answer.Writer, early, t)
	}
	if err != nil { // too late to answer
		releaseAnswer(bare)
		o.debug("handshake not finished", "error", err)
	}
	return nil
}

func (o Options) debug(text string, args ...any) {
	if o.Logger != nil {
		o.Logger.Debug(text, args...)
	}
}

// terms accepts the extensions of a request in h, and returns what the connection keeps.
func (o Options) terms(h http.Header, r *http.Request) terms {
	return terms{
		registry: o.Registry, dialect: o.Dialect, principal: o.Principal,
		deflate: o.Compression && o.Join == nil && chooseDeflate(h, r), binary: o.Binary, refused: o.Refuse, join: o.Join,
	}
}

// start sends the answer to the handshake and runs the connection. It gets only what the
// connection may keep.
func start(conn net.Conn, answer *bufio.Writer, early []byte, t terms) error {
	if polls, err := startPolled(conn, answer, early, t); polls {
		return err
	}
	err := answer.Flush()
	releaseAnswer(conn)
	if err != nil {
		_ = conn.Close()
		return err
	}
	if startWatched(conn, early, t) {
		return nil
	}
	go serve(newSocket(t.registry.Hub(), conn, early), t)
	return nil
}

func serveStream(w http.ResponseWriter, r *http.Request, o Options) error {
	body := io.Reader(r.Body)
	if o.KeepStream != nil {
		body = o.KeepStream(w, r)
	}
	s, err := newStream(o.Registry.Hub(), w, r, body)
	if err != nil {
		return err
	}
	if o.Conn != nil {
		if conn := o.Conn(r); conn != nil {
			rawtcp.SetUserTimeout(conn, o.UserTimeout)
		}
	}
	if o.Stuck != nil {
		s.stuck = func() { o.Stuck(r) }
	}
	t := o.terms(w.Header(), r)
	if err := acceptConnect(w, r, s); err != nil {
		o.debug("handshake not finished", "error", err)
		return nil
	}
	serve(s, t)
	s.leave()
	return nil
}

package ws

import (
	"fmt"
	"io"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/internal/window"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

const (
	// maxDrain is how many bytes of a rejected or closed client are read and dropped, so
	// that the client can read why.
	maxDrain = 1 << 20
	// After a read, the reader waits on a fresh goroutine, because a goroutine keeps the
	// stack that it once needed: two or four times of what a wait needs. A goroutine costs
	// about a microsecond, so a busy client keeps its goroutine: one with busyReads reads
	// in a row and less than busyPause between them.
	busyReads = 8
	busyPause = 5 * time.Second
)

// reader reads one client's frames and hands them to its session.
type reader struct {
	// Static once the session is open.
	link     link
	registry *session.Registry
	dialect  session.Dialect
	peer     Peer // nil before open
	deflate  bool // permessage-deflate is in use
	binary   bool // the dialect takes binary messages
	refused  *hub.Reason
	join     func(Link) Peer

	// Owned by the reader's goroutine. In the poller each arrival has one, one after the other.
	pings window.Counter
	brisk int32 // reads in a row without a long pause
	over  bool  // the reader has finished
}

// terms are what a handshake has settled. They are all that a connection keeps of it.
type terms struct {
	registry  *session.Registry
	dialect   session.Dialect
	principal *session.Principal
	deflate   bool // permessage-deflate is in use
	binary    bool // the dialect takes binary messages
	refused   *hub.Reason
	join      func(Link) Peer
}

func newReader(l link, t terms) *reader {
	return &reader{link: l, registry: t.registry, dialect: t.dialect, deflate: t.deflate, binary: t.binary, refused: t.refused, join: t.join}
}

// encoder returns the encoder of the connection's frames.
func (r *reader) encoder() hub.Encoder {
	if r.dialect == nil {
		return Encoder{}
	}
	e := Encoder{r.dialect.Encoder()}
	if r.deflate {
		return deflating{e}
	}
	return e
}

// waiter is an optional ability of a link: to wait for bytes with a small stack, and without a
// buffer or an engine. Without it a reader keeps an engine of its own and waits inside of it.
type waiter interface {
	// await returns the next bytes, in a buffer that goes back to the pool.
	await() (*[]byte, error)
}

// serve runs the session of a client on its link. Unless the link is a waiter, it
// returns when there is nothing more to read.
func serve(l link, t terms) {
	r := newReader(l, t)
	defer r.recovered()
	if !r.open(t.principal) {
		return
	}
	if w, ok := l.(waiter); ok {
		go r.wait(w)
		return
	}
	r.stay()
}

// open opens the session, or rejects the client.
func (r *reader) open(p *session.Principal) bool {
	defer r.recovered()
	if e := r.enter(p); e != nil {
		r.reject(e)
		return false
	}
	return true
}

// enter opens the session. An error is counted and logged, because the access log shows a handshake that
// went well. A client that only changes its transport has a session already, and is not rejected.
func (r *reader) enter(p *session.Principal) *protocol.Error {
	e := r.begin(p)
	if e != nil && r.join == nil {
		var from []any
		if p != nil {
			from = []any{"address", p.IP.Unmap().String()}
		}
		r.registry.LogRejected(p, "", e, from...)
		r.registry.Rejected("connect", e)
	}
	return e
}

// begin opens the session, unless the protocol refuses the client.
func (r *reader) begin(p *session.Principal) *protocol.Error {
	if r.refused != nil {
		e := protocol.Errorf(protocol.Forbidden, "%s", r.refused.Text)
		e.Detail = fmt.Sprintf("the handshake was answered, and the connection closed with code %d", r.refused.Code)
		return e
	}
	if r.join != nil {
		return r.enterJoined()
	}
	s, e := r.registry.Open(p, session.Options{
		Transport: r.link, Encoder: r.encoder(), Dialect: r.dialect, Answers: true, Name: "websocket",
	})
	if e == nil {
		r.peer = own{s}
	}
	return e
}

// wait is the reader of a link that is a waiter. Its stack frame is small, because an idle
// connection has it on its stack.
func (r *reader) wait(w waiter) {
	defer r.recovered()
	for {
		since := time.Now()
		b, err := w.await()
		r.pace(time.Since(since))
		if !r.handle(b, err) {
			return
		}
		if r.brisk < busyReads {
			go r.wait(w)
			return
		}
	}
}

// pace counts the reads in a row without a long silence of the client.
func (r *reader) pace(silence time.Duration) {
	if silence >= busyPause {
		r.brisk = 0
		return
	}
	r.brisk++
}

// handle reads with an engine what has arrived, and reports whether the connection goes on.
func (r *reader) handle(b *[]byte, err error) bool {
	if err != nil {
		r.end(hub.ReasonLost, true)
		return false
	}
	defer putBuffer(b)
	if op, payload, ok := loneControl(*b); ok {
		return r.handleControl(op, payload)
	}
	e := borrowEngine(r, *b)
	switch err := e.converse(); err {
	case nil:
		e.giveBack()
	case errQuiet: // gorilla keeps the error, so the engine can not be used again
	default:
		r.end(e.reason(err), e.goodbye)
		return false
	}
	return true
}

// stay is the reader of a link that is no waiter. It waits inside its engine.
func (r *reader) stay() {
	defer r.recovered()
	e := newEngine(ownBuffer, false)
	e.use(r, nil)
	err := e.converse()
	r.end(e.reason(err), e.goodbye)
}

// end closes the connection for a reason that the reader has found. A client that has not sent
// a close frame may still be sending.
func (r *reader) end(why hub.Reason, goodbye bool) {
	r.over = true
	if why.Code == protocol.ReasonPolicy.Code && !goodbye {
		r.peer.CloseForAbuse(why)
	}
	r.peer.Close(why)
	if !goodbye {
		r.drain()
	}
	r.link.readerDone()
}

// reject closes a connection for which there was no session.
func (r *reader) reject(e *protocol.Error) {
	why := with(protocol.ReasonTryLater, e.Message)
	if r.refused != nil {
		why = *r.refused
	}
	_ = r.link.Write(r.encoder().AppendClose(nil, why))
	r.link.Close()
	r.drain()
	r.link.readerDone()
}

// drain reads and drops what the client is still sending. It ends when the client has closed,
// when the link is cut, or after maxDrain bytes.
func (r *reader) drain() { _, _ = io.CopyN(io.Discard, r.link, maxDrain) }

// recovered ends a panic of the reader: it is logged with its stack and closes the connection,
// and the process goes on.
func (r *reader) recovered() {
	v := recover()
	if v == nil {
		return
	}
	r.over = true
	guard.Report(r.registry.Hub().Settings().Logger, "a WebSocket reader", v)
	if r.peer == nil {
		r.link.abort()
		return
	}
	r.peer.Close(protocol.ReasonInternal)
	r.link.readerDone()
}

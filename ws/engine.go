package ws

import (
	"bufio"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

const (
	// sharedBuffer is the size of the read buffer of a shared engine.
	sharedBuffer = 1 << 10
	// ownBuffer is that of an engine that belongs to one connection. For 256 bytes or less,
	// gorilla would allocate a buffer of its own instead.
	ownBuffer = 288
)

// engine is gorilla's reader of data frames, with the state of the message that is being read.
// A sieve in front of gorilla takes out control frames and rejects bad frames. A connection
// that can wait for bytes without an engine borrows one when bytes arrive, because most
// connections have nothing to read most of the time.
//
// For gorilla the engine is the connection below. It returns what the client sends, and drops
// what gorilla writes: gorilla's own frames would land between, or within, those of the hub.
type engine struct {
	// Static.
	frames *websocket.Conn
	in     *bufio.Reader // the buffer of frames
	lent   bool          // the engine is shared: a reader borrows it

	// Owned by the reader that uses it.
	reader  *reader
	sieve   sieve
	ahead   []byte // bytes that were read already and come next
	spare   []byte // memory for ahead
	limit   int    // the message size in force when bytes last arrived
	goodbye bool   // the client has sent a close frame
	bounded bool   // the link has the deadline of the message
	late    bool   // the deadline has passed
}

var engines = sync.Pool{New: func() any { return newEngine(sharedBuffer, true) }}

// borrowEngine takes an engine from the pool. It reads ahead first, then from r's link.
func borrowEngine(r *reader, ahead []byte) *engine {
	e := engines.Get().(*engine)
	e.use(r, ahead)
	e.arrived()
	return e
}

// use makes an engine read for r.
func (e *engine) use(r *reader, ahead []byte) {
	e.reader, e.ahead, e.sieve.deflate = r, ahead, r.deflate
}

// giveBack returns a borrowed engine to the pool. The last frame must be read to its end, and
// nothing of the next one.
func (e *engine) giveBack() {
	e.reader, e.ahead = nil, nil
	engines.Put(e)
}

// newEngine makes an engine. gorilla makes its reader only in a handshake, so it gets one that
// is always the same; the real one is over.
func newEngine(buffer int, lent bool) *engine {
	e := &engine{lent: lent}
	e.in = bufio.NewReaderSize(e, buffer)
	c, err := upgrader.Upgrade(&stage{engine: e}, played, nil)
	if err != nil {
		panic(err) // can not fail: the handshake is always the same
	}
	e.frames = c
	return e
}

var (
	upgrader = websocket.Upgrader{ // ReadBufferSize 0 makes it use the stage's
		WriteBufferSize: maxControl,
		WriteBufferPool: new(sync.Pool), // rarely used
		CheckOrigin:     func(*http.Request) bool { return true },
	}
	played = &http.Request{Method: http.MethodGet, Header: http.Header{
		"Connection":            {"Upgrade"},
		"Upgrade":               {"websocket"},
		"Sec-Websocket-Version": {version},
		"Sec-Websocket-Key":     {"AAAAAAAAAAAAAAAAAAAAAA=="},
	}}
)

// stage is the response writer of the played handshake.
type stage struct {
	http.ResponseWriter // nil: a handshake that succeeds does not use it
	engine              *engine
}

func (s *stage) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return s.engine, bufio.NewReadWriter(s.engine.in, bufio.NewWriterSize(s.engine, 1)), nil
}

package ws

import (
	"bufio"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

const (
	// sharedBuffer is the read buffer of an engine that is lent out.
	sharedBuffer = 1 << 10
	// ownBuffer is that of an engine that belongs to one connection. Up to 256
	// bytes gorilla would make a buffer of its own instead.
	ownBuffer = 288
)

// engine is gorilla's reader of data frames, with a sieve in front that keeps control
// frames and bad ones from it, and what goes with a message while it is read. A connection that can wait for bytes without one borrows it when there are
// some, because most connections have nothing to read most of the time.
//
// To gorilla it is the connection below: one that gives what the client sends and
// swallows what is written, because frames of gorilla's own would land between, or
// within, those of the hub.
type engine struct {
	// Static.
	frames *websocket.Conn
	in     *bufio.Reader // the one that frames reads through
	lent   bool

	// Owned by the reader that uses it.
	reader  *reader
	sieve   sieve
	ahead   []byte // read already, and the next to be looked at
	spare   []byte // the memory of what gorilla has read too far
	limit   int    // the message size in force when bytes last arrived
	goodbye bool   // the client has sent a close frame
	bounded bool   // the link has the message's deadline
	late    bool   // and it has passed
}

var engines = sync.Pool{New: func() any { return newEngine(sharedBuffer, true) }}

// borrowEngine takes an engine that reads what r's client sends, ahead first.
func borrowEngine(r *reader, ahead []byte) *engine {
	e := engines.Get().(*engine)
	e.reader, e.ahead = r, ahead
	e.arrived()
	return e
}

// giveBack ends the use of a borrowed engine. It is clean: the last frame was read
// to its end and nothing behind it.
func (e *engine) giveBack() {
	e.reader, e.ahead = nil, nil
	engines.Put(e)
}

// newEngine plays gorilla a handshake, which is the only way to make its reader;
// the real one is over.
func newEngine(buffer int, lent bool) *engine {
	e := &engine{lent: lent}
	e.in = bufio.NewReaderSize(e, buffer)
	c, err := upgrader.Upgrade(&stage{engine: e}, played, nil)
	if err != nil {
		panic(err) // the handshake is always the same
	}
	e.frames = c
	return e
}

var (
	upgrader = websocket.Upgrader{ // ReadBufferSize 0 makes it use the stage's
		WriteBufferSize: maxControl,
		WriteBufferPool: new(sync.Pool), // hardly ever used
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

package ws

import (
	"bufio"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

const (
	// sharedBuffer is the read buffer of an engine that is lent out.
	sharedBuffer = 1 << 10
	// ownBuffer is that of an engine that belongs to one connection. Up to 256
	// bytes gorilla would make a buffer of its own instead.
	ownBuffer = 288
)

// engine is gorilla's reader of frames, and what goes with a message while it is
// read. A connection that can wait for bytes without one borrows it when there are
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
	early   []byte     // read already, for gorilla to read first
	limit   int        // the message size in force when bytes last arrived
	settled bool       // everything was used, up to the end of a control frame
	goodbye bool       // the client has sent a close frame
	verdict hub.Reason // what gorilla says of a broken frame

	inside  bool // a message has begun and is not complete
	bounded bool // the link has the message's deadline
	late    bool // and it has passed
	raw     int  // bytes read since the message began
	payload int  // and those of them that are its payload
}

var engines = sync.Pool{New: func() any { return newEngine(sharedBuffer, true) }}

// borrowEngine takes an engine that reads what r's client sends, early first.
func borrowEngine(r *reader, early []byte) *engine {
	e := engines.Get().(*engine)
	e.reader, e.early = r, early
	e.arrived()
	return e
}

// giveBack ends the use of a borrowed engine. It is clean: the last frame was read
// to its end and nothing behind it.
func (e *engine) giveBack() {
	e.reader, e.early = nil, nil
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
	c.SetPingHandler(func(data string) error { return e.control(e.reader.ping(data)) })
	c.SetPongHandler(func(string) error { return e.control(e.reader.pong()) })
	c.SetCloseHandler(func(int, string) error { return nil })
	e.frames = c
	return e
}

var (
	upgrader = websocket.Upgrader{ // ReadBufferSize 0 makes it use the stage's
		WriteBufferSize: maxControl,
		WriteBufferPool: new(sync.Pool), // hardly ever used: nothing but verdicts is written
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

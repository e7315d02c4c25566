package ws

import (
	"errors"
	"io"
	"time"

	"github.com/gorilla/websocket"
)

// messageTime is how long a message may take from its first bytes to its last ones.
const messageTime = 10 * time.Second

// maxOverhead is how many bytes the fragments of one message, and control frames between them,
// may have beside its payload: a thousand headers of eight bytes. Empty fragments cost the
// server more than their sender.
const maxOverhead = 1000 * 8

var (
	errQuiet  = errors.New("ws: nothing more to read for now")
	errBinary = errors.New("ws: binary message")
)

// converse hands messages to the session. A shared engine returns nil when it has handled all
// bytes that arrived, and errQuiet when it can not be used again either. Any other error ends
// the connection.
func (e *engine) converse() error {
	for {
		if err := e.controls(); err != nil {
			return err
		}
		if e.lent && e.drained() {
			return nil
		}
		kind, message, err := e.frames.NextReader()
		switch {
		case err != nil:
			return err
		case kind == websocket.BinaryMessage && !e.reader.binary && !e.reader.link.isClosed():
			return errBinary
		}
		if err := e.receive(message, kind == websocket.BinaryMessage); err != nil {
			return err
		}
	}
}

// drained reports whether all bytes were handled, and no message is half read.
func (e *engine) drained() bool { return len(e.ahead) == 0 && e.sieve.rest() }

// receive reads one message and hands it to the session. Once the hub has finished, messages
// are dropped until the client's close frame comes.
func (e *engine) receive(message io.Reader, binary bool) error {
	b := getBuffer()
	defer putBuffer(b)
	if err := e.read(message, b); err != nil {
		return err
	}
	switch {
	case e.reader.link.isClosed():
		return nil
	case e.sieve.deflated:
		return e.receiveDeflated(b, binary)
	case len(*b) > e.limit:
		return websocket.ErrReadLimit // within the slack of compressed messages
	}
	return e.deliver(*b, binary)
}

// read reads a whole message into b.
func (e *engine) read(message io.Reader, b *[]byte) error {
	defer e.unbound()
	for {
		if len(*b) == cap(*b) {
			*b = append(*b, 0)[:len(*b)]
		}
		n, err := message.Read((*b)[len(*b):cap(*b)])
		*b = (*b)[:len(*b)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// bound starts the time of a message when it first waits for the network. A message that has
// already arrived needs no deadline.
func (e *engine) bound() {
	if !e.bounded {
		e.bounded = true
		_ = e.reader.link.SetReadDeadline(time.Now().Add(messageTime))
	}
}

// unbound removes the deadline of a message.
func (e *engine) unbound() {
	if e.bounded {
		e.bounded = false
		_ = e.reader.link.SetReadDeadline(time.Time{})
	}
}

// arrived notifies the hub that bytes have arrived, and loads the message size in force.
func (e *engine) arrived() {
	e.reader.peer.Heard()
	e.limit = e.reader.registry.MessageSize()
	most := e.limit
	if e.sieve.deflate {
		most += deflateSlack(most)
	}
	e.frames.SetReadLimit(int64(most))
}

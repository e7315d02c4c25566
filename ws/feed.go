package ws

import (
	"net"
	"time"
)

var _ net.Conn = (*engine)(nil)

// Read returns the data frames of the client to gorilla. It stops at the end of a message, so
// that gorilla has no bytes of the next one in its buffer.
func (e *engine) Read(p []byte) (int, error) {
	for {
		src, err := e.fetch(p)
		if err != nil {
			return 0, err
		}
		passed, err := e.sift(p, src)
		switch {
		case err != nil:
			return 0, err // without bytes: gorilla would read those before it sees the error
		case passed > 0:
			return passed, nil
		case e.lent && e.drained():
			return 0, errQuiet
		}
	}
}

// controls handles the control frames at the start of ahead.
func (e *engine) controls() error {
	for len(e.ahead) > 0 {
		before := len(e.ahead)
		if _, err := e.sift(nil, e.ahead); err != nil {
			return err
		}
		if len(e.ahead) == before {
			return nil // a data frame
		}
	}
	return nil
}

// sift passes bytes of src through the sieve, and keeps the unused ones in ahead.
func (e *engine) sift(dst, src []byte) (passed int, err error) {
	passed, used, err := e.sieve.pass(dst, src)
	e.keep(src[used:])
	if err != nil || !e.sieve.whole() || e.sieve.left > 0 {
		return passed, err
	}
	err = e.reader.control(e.sieve.control())
	if e.sieve.rest() {
		e.unbound()
	}
	return passed, err
}

// keep keeps the bytes that come next. It copies them, because they may be in gorilla's buffer.
func (e *engine) keep(rest []byte) {
	if len(e.ahead) > 0 {
		e.ahead = rest // rest is the end of ahead
		return
	}
	if len(rest) > 0 {
		e.spare = append(e.spare[:0], rest...)
		e.ahead = e.spare
	}
}

// fetch returns bytes of the client: those in ahead, or else bytes of the link, which it reads
// into p. It reads only a little beyond the current frame, so that few bytes must be kept.
func (e *engine) fetch(p []byte) ([]byte, error) {
	if len(e.ahead) > 0 {
		return e.ahead, nil
	}
	most := uint64(ownBuffer)
	if e.sieve.whole() {
		most = e.sieve.left
	}
	if e.sieve.rest() {
		e.unbound()
	} else {
		e.bound()
	}
	n, err := e.reader.link.Read(p[:min(uint64(len(p)), most)])
	if n > 0 {
		e.arrived()
		return p[:n], nil // the next call returns the error again
	}
	if err != nil {
		e.late = e.bounded && isTimeout(err)
	}
	return nil, err
}

// Write drops what gorilla writes about a frame that is too long: the hub notifies the client.
func (e *engine) Write(p []byte) (int, error) { return len(p), nil }

// Close does nothing: the reader closes the link.
func (e *engine) Close() error { return nil }

func (e *engine) LocalAddr() net.Addr              { return nil }
func (e *engine) RemoteAddr() net.Addr             { return nil }
func (e *engine) SetDeadline(time.Time) error      { return nil }
func (e *engine) SetReadDeadline(time.Time) error  { return nil }
func (e *engine) SetWriteDeadline(time.Time) error { return nil }

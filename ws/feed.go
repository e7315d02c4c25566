package ws

import (
	"net"
	"time"
)

var _ net.Conn = (*engine)(nil)

// Read gives gorilla the data frames that the client sends. It gives nothing beyond
// the end of a message, so that gorilla has nothing left when it has read one.
func (e *engine) Read(p []byte) (int, error) {
	for {
		src, err := e.fetch(p)
		if err != nil {
			return 0, err
		}
		passed, err := e.sift(p, src)
		switch {
		case err != nil:
			return 0, err // gorilla would look at what comes with it first
		case passed > 0:
			return passed, nil
		case e.lent && e.drained():
			return 0, errQuiet
		}
	}
}

// controls takes the control frames at the beginning of what is there.
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

// sift passes bytes of src through the sieve, and keeps those that were not used.
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

// keep keeps bytes that are to be read next. They may stand in gorilla's memory.
func (e *engine) keep(rest []byte) {
	if len(e.ahead) > 0 {
		e.ahead = rest // the end of what it was
		return
	}
	if len(rest) > 0 {
		e.spare = append(e.spare[:0], rest...)
		e.ahead = e.spare
	}
}

// fetch gives bytes of the client: those that are there already, or what the link
// has, which it reads into p. Beyond the frame that it is in it reads little, so that
// little has to be kept.
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
		return p[:n], nil // an error comes again
	}
	if err != nil {
		e.late = e.bounded && isTimeout(err)
	}
	return nil, err
}

// Write goes nowhere: gorilla says what it thinks of a frame that is too long, and
// the client is told by the hub.
func (e *engine) Write(p []byte) (int, error) { return len(p), nil }

// Close does nothing: the link has its own end.
func (e *engine) Close() error { return nil }

func (e *engine) LocalAddr() net.Addr              { return nil }
func (e *engine) RemoteAddr() net.Addr             { return nil }
func (e *engine) SetDeadline(time.Time) error      { return nil }
func (e *engine) SetReadDeadline(time.Time) error  { return nil }
func (e *engine) SetWriteDeadline(time.Time) error { return nil }

package ws

import (
	"errors"
	"time"
)

// A client may send maxControlFrames within controlWindow, beside the answers to heartbeats.
// Libraries that ping by themselves do it a few times a minute.
const (
	maxControlFrames = 20
	controlWindow    = 10 * time.Second
)

var errFlood = errors.New("ws: too many control frames")

// loneControl returns the ping or pong that b is from its first to its last byte, with its payload
// unmasked. Answers to heartbeats come like this, and most of what silent clients send is
// such answers. They need no engine.
func loneControl(b []byte) (op byte, payload []byte, ok bool) {
	const head = 2 + maskLength
	if len(b) < head || len(b) > head+maxControl || int(b[1]) != maskBit|(len(b)-head) {
		return 0, nil, false
	}
	if op = b[0] &^ finBit; b[0]&finBit == 0 || op != opPing && op != opPong {
		return 0, nil, false
	}
	payload = b[head:]
	for i := range payload {
		payload[i] ^= b[2+i%maskLength]
	}
	return op, payload, true
}

// handleControl handles a control frame that has arrived alone, and reports whether the
// connection goes on.
func (r *reader) handleControl(op byte, payload []byte) bool {
	r.peer.Heard()
	if err := r.control(op, payload); err != nil {
		r.end(new(engine).reason(err), false)
		return false
	}
	return true
}

// control handles a control frame. An error ends the connection.
func (r *reader) control(op byte, payload []byte) error {
	switch op {
	case opPing:
		return r.ping(string(payload))
	case opPong:
		return r.pong()
	}
	return closing(payload)
}

// ping answers a client's ping. The answer goes through the queue like all other frames.
func (r *reader) ping(data string) error {
	if err := r.count(); err != nil {
		return err
	}
	if !r.link.isClosed() {
		r.peer.Send(pong(data))
	}
	return nil
}

// pong handles the answer to a heartbeat, or a pong without a ping, which RFC 6455 allows. The
// hub already knows that the client sent something.
func (r *reader) pong() error { return r.count() }

// count counts a control frame. Too many are an error.
func (r *reader) count() error {
	beat := r.registry.Hub().Settings().Heartbeat
	if r.pings.Add(time.Now(), controlWindow) > maxControlFrames+1+int(controlWindow/beat) {
		return errFlood
	}
	return nil
}

package ws

import (
	"errors"
	"time"
)

// A client may send this many control frames within this time, beside the answers
// to heartbeats. Libraries that ping by themselves do it a few times a minute.
const (
	maxControlFrames = 20
	controlWindow    = 10 * time.Second
)

var errFlood = errors.New("ws: too many control frames")

// control takes a control frame. The error ends the conversation.
func (r *reader) control(op byte, payload []byte) error {
	switch op {
	case opPing:
		return r.ping(string(payload))
	case opPong:
		return r.pong()
	}
	return closing(payload)
}

// ping answers a client's ping. The answer goes through the queue, in its turn.
func (r *reader) ping(data string) error {
	if err := r.count(); err != nil {
		return err
	}
	if !r.link.isClosed() {
		r.conn.Send(pong(data))
	}
	return nil
}

// pong takes the answer to a heartbeat, or a pong that nobody asked for, which is
// allowed, too. That something arrived the hub knows already.
func (r *reader) pong() error { return r.count() }

func (r *reader) count() error {
	beat := r.registry.Hub().Settings().Heartbeat
	if r.pings.Add(time.Now(), controlWindow) > maxControlFrames+1+int(controlWindow/beat) {
		return errFlood
	}
	return nil
}

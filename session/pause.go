package session

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// maxPause is the longest time for which a client is left unread. One that goes on
// all the same still gets to the offences that end its connection in their window.
const maxPause = violationWindow / (maxViolations + 5)

// slowDown refuses a frame that came too fast, and then leaves the client unread for
// a while. What it goes on sending fills the buffers of the network, and then waits
// with the client: so a flood costs the server a few frames each second, however
// large it is, where to refuse each frame would cost about as much as to serve it.
func (s *Session) slowDown(frame []byte, r policy.Rate, wait time.Duration) {
	pause := s.pause(r, wait)
	cmd, e := protocol.Decode(frame)
	if e == nil {
		e = rateLimited(max(wait, pause), "messages")
	}
	s.offend(cmd.ID, e)
	s.rest(pause)
}

// pause is how long to leave a client unread that has to wait for its next token: at
// least that long, and not less than a tenth of the time in which its bucket fills.
// It then takes two fillings of the bucket before the connection is ended, and to
// come back for a full one gains a flooder no more than half of its rate.
//
// Answers to heartbeats are not read meanwhile, and must not seem to be missing.
func (s *Session) pause(r policy.Rate, wait time.Duration) time.Duration {
	filling := time.Duration(min(float64(r.Size())/r.PerSecond, 60) * float64(time.Second))
	return min(max(wait, filling/10), maxPause, s.registry.hub.Settings().Timeout/4)
}

// rest waits, unless the connection ends.
func (s *Session) rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
	s.conn.Heard() // it is not the client that was silent
}

package drills

import (
	"errors"
	"math/rand/v2"
	"net"
	"time"
)

// comeBack keeps a subscriber connected until everybody leaves.
func (d *drill) comeBack(s *subscriber) {
	for !d.leaving.Load() {
		c, err := s.connect()
		if err != nil && d.away {
			d.stayAway()
			continue
		}
		if err != nil {
			d.t.Errorf("a subscriber could not come back: %v", err)
			return
		}
		if d.leaving.Load() {
			c.close() // too late to be cut off with the others
		}
		if r, strange := errors.AsType[refusal](s.follow(c)); strange {
			d.t.Error(r)
			return
		}
		d.stayAway()
	}
}

// stayAway waits before a subscriber comes back: now and then for so long that a
// short history has moved on.
func (d *drill) stayAway() {
	pause := rand.N(200 * time.Millisecond)
	if rand.N(10) == 0 {
		pause = 2 * time.Second
	}
	select {
	case <-d.gone:
	case <-time.After(pause):
	}
}

// reset makes the latest connection end with a reset when it is dropped.
func (s *subscriber) reset() {
	c := s.conn.Load()
	if c == nil {
		return
	}
	if w, ok := (*c).(*wsClient); ok {
		if tcp, ok := w.conn.NetConn().(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
}

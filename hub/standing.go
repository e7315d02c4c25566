package hub

import (
	"slices"
	"time"
)

// Standing is how far a connection was in a room when it ended.
type Standing struct {
	Channel string
	// Position is that of the last message that the client has, as far as the hub knows.
	Position Position
}

// answerTime is how long an answer to a ping may be on its way. If it takes longer, the client may
// have been out of reach since before the ping.
const answerTime = 2 * time.Second

// track is how far a subscription is, for [Conn.Standings]. Guarded by conn.mu.
type track struct {
	start Position // where live delivery started
	sent  Position // of the newest message that was written or queued
	asked Position // sent at the last ping
	known Position // sent at the last ping that the client has answered

	// Of connections with a trail alone.
	channel, group string   // static
	base           Position // before the first message of the room in the trail
	noted          uint64   // the offset of the last one
}

// advance notes that a message was written or queued, or is not for the connection. Needs mu.
func (s *subscription) advance(p Position) {
	if s.track != nil && !p.IsZero() {
		s.track.sent = p
	}
}

// startTrack starts a track where the live delivery starts. Needs mu.
func (s *subscription) startTrack(at Position) {
	if s.track != nil {
		s.track.start, s.track.sent, s.track.asked, s.track.known = at, at, at, at
		s.track.base, s.track.noted = at, at.Offset
	}
}

// sentUpTo notes that the messages up to a position were written or queued, of which the last one is
// for the connection. Needs mu.
func (s *subscription) sentUpTo(p Position) {
	s.advance(p)
	if t := s.conn.trail; t != nil && s.track != nil && !p.IsZero() {
		t.note(s.track, p)
	}
}

// notePing notes where the subscriptions are at a ping. What was sent before a ping that the client
// has answered has reached the client. Needs mu.
func (c *Conn) notePing() {
	if !c.tracks {
		return
	}
	answered, now := c.answered(), c.hub.beat.now()
	for _, s := range c.subs {
		if t := s.track; t != nil {
			if answered {
				t.known = t.asked
			}
			t.asked = t.sent
		}
	}
	if c.trail != nil {
		c.trail.mark(answered)
	}
	c.pinged = now
}

// answered reports whether the client was heard after the last ping. What arrives at the moment of the ping
// was sent before it, so it is no answer. Needs mu.
func (c *Conn) answered() bool { return c.heard.Load() > int64(c.pinged) }

// succeed notes that the connection takes the place of lost ones. It gets no message that leaves
// out one of them: what such a message is about came from the same client.
func (c *Conn) succeed(ids []string) {
	if len(ids) > 0 {
		c.former.Store(&ids)
	}
}

// succeeds reports whether the connection takes the place of another one.
func (c *Conn) succeeds(id string) bool {
	former := c.former.Load()
	return former != nil && slices.Contains(*former, id)
}

// noteFlight notes that a message was taken from the queue to be written. Needs mu.
func (c *Conn) noteFlight(m *Message) {
	if c.tracks && m != nil && !slices.ContainsFunc(c.flight, func(f Standing) bool { return f.Channel == m.Channel }) {
		c.flight = append(c.flight, Standing{m.Channel, m.Position})
	}
}

// landed notes that all bytes that were taken from the queue are written. Needs mu.
func (c *Conn) landed() { c.flight = c.flight[:0] }

// Standings returns how far the connection was in the rooms that it subscribed to with
// [SubscribeOptions.Track]. They are known once the connection has ended, and only where the
// client may have missed messages and the room has history.
//
// After a connection was lost the client is taken to have what the transport has written. It is
// taken not to have what waited in the queue, or was in a write that failed. If it was out of
// reach before, which an unanswered ping shows, it is taken to have only what it had at the last
// ping that it answered. After a failed write or an unanswered ping it may have more than the
// standing says, and otherwise less by what was on its way.
func (c *Conn) Standings() []Standing {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.standings
}

// noteStandings notes how far the connection is at its end, before the queue is dropped. Needs mu.
func (c *Conn) noteStandings(r Reason) {
	if !c.tracks || c.ending || c.standings != nil {
		return
	}
	drops := dropsQueue(r)
	unreached := drops && c.pinged > 0 && !c.answered() && c.hub.beat.now()-c.pinged > answerTime
	for _, s := range c.subs {
		if s.track == nil || s.phase != live {
			continue
		}
		at := s.track.sent
		switch {
		case unreached:
			at = s.track.known
		case drops:
			at = c.before(s.channel, at)
		}
		if !at.IsZero() {
			c.standings = append(c.standings, Standing{s.channel, at})
		}
	}
}

// before returns the position before the first message of a room that is queued or being written;
// at if there is none. Needs mu.
func (c *Conn) before(channel string, at Position) Position {
	first := Position{}
	if i := slices.IndexFunc(c.flight, func(f Standing) bool { return f.Channel == channel }); i >= 0 {
		first = c.flight[i].Position
	}
	for p := c.queue.first; p != 0 && first.IsZero(); p = c.queue.at(p).next {
		if m := c.queue.at(p).msg; m != nil && m.Channel == channel {
			first = m.Position
		}
	}
	if first.IsZero() || first.Epoch != at.Epoch {
		return at
	}
	return Position{Epoch: first.Epoch, Offset: first.Offset - 1}
}

// dropsQueue reports whether what is queued is not written at an end for this reason.
func dropsQueue(r Reason) bool { return r == ReasonSlow || r == ReasonSilent || r == ReasonLost }

package hub

import (
	"context"
	"slices"
)

// Resumption is a room in which a connection goes on where an earlier one of the same client was.
type Resumption struct {
	Standing
	// Interests and Selector are those of [SubscribeOptions].
	Interests uint8
	Selector  Selector
}

// Resume subscribes a connection to rooms in which an earlier one was, and sends it what the client has
// missed there: the messages of all rooms by their time, those of one room in their order. except is the
// id of the earlier connection: messages that leave it out are left out.
//
// reply makes what is queued before the messages. It is called once, without locks, when it is known that
// nothing is missing. With nil the connection is not subscribed.
//
// Resume reports whether the connection is in all the rooms. If it is not, it is in none of them, and is
// sent nothing: a room does not have everything that the client missed, or the connection is closing.
func (h *Hub) Resume(ctx context.Context, c *Conn, rooms []Resumption, except string, reply func() []Event) (done bool, err error) {
	all := make([]resumed, 0, len(rooms))
	defer func() {
		if !done {
			for _, r := range all {
				c.removeSubscription(r.s)
				h.leaveRoom(r.s)
			}
		}
	}()
	for _, room := range rooms {
		s := &subscription{conn: c, channel: room.Channel, interests: room.Interests, held: new(held)}
		if room.Selector != nil {
			s.sieve = &sieve{selector: room.Selector}
		}
		if err := c.addSubscription(s); err != nil {
			return false, err
		}
		all = append(all, resumed{s: s, since: room.Position})
		sub, err := h.enterRoom(ctx, s, SubscribeOptions{Recover: &room.Position, Successor: []string{except}, Selector: room.Selector})
		if err != nil || !sub.Recovered {
			return false, err
		}
		r := &all[len(all)-1]
		r.top, r.messages, r.slow = sub.Position, sub.Messages, s.room.currentOptions().Slow
	}
	missed := inOrder(all)
	if !h.replayable(missed) {
		return false, nil
	}
	if err := c.waitForQueue(ctx, nil); err != nil {
		return false, err
	}
	events := reply()
	missed = c.without(missed, []string{except}) // what leaves out all of another of the rooms
	return events != nil && c.startResumed(all, events, missed), nil
}

// resumed is a subscription of Resume.
type resumed struct {
	s          *subscription
	since, top Position
	messages   []*Message
	slow       Slow
}

// inOrder merges the messages of rooms by their time. Those of one room stay in their order.
func inOrder(all []resumed) (merged []*Message) {
	rest := make([][]*Message, 0, len(all))
	for _, r := range all {
		if len(r.messages) > 0 {
			rest = append(rest, r.messages)
		}
	}
	for len(rest) > 0 {
		oldest := 0
		for i := range rest {
			if rest[i][0].Time.Before(rest[oldest][0].Time) {
				oldest = i
			}
		}
		merged = append(merged, rest[oldest][0])
		if rest[oldest] = rest[oldest][1:]; len(rest[oldest]) == 0 {
			rest = slices.Delete(rest, oldest, oldest+1)
		}
	}
	return merged
}

// startResumed queues the reply and what was missed, and starts live delivery to all subscriptions at once. The
// trail begins where the client was, so that it is right when the connection ends within the replay.
func (c *Conn) startResumed(all []resumed, reply []Event, missed []*Message) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending || slices.ContainsFunc(all, func(r resumed) bool { return r.s.phase == gone || r.s.held.dropped }) {
		return false
	}
	of := make(map[string]*subscription, len(all))
	for _, r := range all {
		r.s.phase, r.s.from = live, r.top
		r.s.startTrack(r.since)
		of[r.s.channel] = r.s
	}
	for _, ev := range reply {
		c.reply(ev)
	}
	for _, m := range missed {
		if c.reply(m); c.ending {
			return true
		}
		of[m.Channel].sentUpTo(m.Position)
	}
	for _, r := range all {
		r.s.advance(r.top)
		c.releaseHeld(r.s, r.slow)
	}
	c.pump()
	return true
}

// Rename gives a connection the id of an earlier one of the same client, which has ended. It returns false
// if a connection has the id. No room may know the connection by its former id.
func (h *Hub) Rename(c *Conn, id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, taken := h.conns[id]; taken || h.conns[c.ID()] != c {
		return false
	}
	delete(h.conns, c.ID())
	c.id.Store(&id)
	h.conns[id] = c
	return true
}

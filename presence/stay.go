package presence

import (
	"errors"
	"sync/atomic"
)

// maxAsked is how many snapshots of a stay may be on their way. They are made one after
// another for the whole room, and a client can ask much faster than that.
const maxAsked = 4

// ErrBusy is returned to a connection that asks for a snapshot while others that it has
// asked for are not delivered yet.
var ErrBusy = errors.New("presence: snapshots are still on their way")

// Who is a connection that enters a room.
type Who struct {
	// Connection is its id.
	Connection string
	// User is the id of its user; empty: anonymous.
	User string
}

// Stay is the presence of one connection in one room, from [Tracker.Enter] to
// [Stay.Leave] or [Stay.Lose].
type Stay struct {
	room  *room        // static
	asked atomic.Int32 // snapshots that are not delivered yet

	// Guarded by room.mu.
	member *local // nil: watches only
	said   said
	over   bool
}

// Enter makes a connection, that is not in the room yet, one of its member's.
// deliver gets a snapshot of the room, once, as soon as there is one: mostly
// before Enter returns, but on another goroutine when the room must first be read
// from the store. It must not block and may be nil. Errors: [ErrClosed], and
// [ErrStatus] and [ErrInfo] for what c says.
func (t *Tracker) Enter(channel string, w Who, c Change, deliver func(*Snapshot)) (*Stay, error) {
	said, err := c.parse()
	if err != nil {
		return nil, err
	}
	key, anonymous := w.User, false
	if key == "" {
		key, anonymous = w.Connection, true
	}
	s := new(Stay)
	err = t.open(channel, func(r *room) {
		s.room = r
		r.enter(s, key, anonymous, said)
		r.ask(request{s, "", deliver})
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Watch lets a connection see a room without being a member of it; else it is
// like Enter.
func (t *Tracker) Watch(channel string, deliver func(*Snapshot)) (*Stay, error) {
	s := new(Stay)
	err := t.open(channel, func(r *room) {
		s.room = r
		r.watchers++
		r.ask(request{s, "", deliver})
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Update changes what the connection says about its member. The room sees one
// update, if it sees any: what the member shows may not change by it. On a stay
// that watches or is over, it does nothing. Errors are [ErrStatus] and [ErrInfo],
// and then nothing has changed.
func (s *Stay) Update(c Change) error {
	said, err := c.parse()
	if err != nil {
		return err
	}
	s.change(func() {
		if s.member != nil {
			s.room.say(s, said)
		}
	})
	return nil
}

// Snapshot delivers the page of the room that begins after a key; an empty one
// asks for the first page. It is delivered as in [Tracker.Enter], and not at all
// when the stay is over. With too many on their way the error is [ErrBusy].
func (s *Stay) Snapshot(after string, deliver func(*Snapshot)) (err error) {
	s.change(func() {
		if s.asked.Load() >= maxAsked {
			err = ErrBusy
			return
		}
		s.room.ask(request{s, after, deliver})
	})
	return err
}

// Leave ends the stay because the client said so. If it was its member's only
// one, the member leaves at once.
func (s *Stay) Leave() { s.end(true) }

// Lose ends the stay because the connection broke. If it was its member's only
// one, the member leaves after the grace.
func (s *Stay) Lose() { s.end(false) }

func (s *Stay) end(explicit bool) {
	s.change(func() {
		s.over = true
		s.room.leave(s, explicit)
	})
}

// change calls f in a change of the room, unless the stay is over.
func (s *Stay) change(f func()) {
	s.room.change(func() {
		if !s.over {
			f()
		}
	})
}

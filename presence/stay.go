package presence

import (
	"errors"
	"sync/atomic"
)

// maxAsked is how many snapshots of a stay may be on their way. They are made one after the
// other for the whole room, and a client can ask for them much faster.
const maxAsked = 4

// ErrBusy is returned if a connection asks for a snapshot while too many of its snapshots
// are not delivered yet.
var ErrBusy = errors.New("presence: snapshots are still on their way")

// Who identifies a connection that enters a room.
type Who struct {
	// Connection is its id.
	Connection string
	// User is the id of its user; empty if it is anonymous.
	User string
	// Apart says that a diff does not tell the connection of its own member. Its snapshot has
	// shown that already.
	Apart bool
}

// Stay is the presence of one connection in one room, from [Tracker.Enter] to
// [Stay.Leave] or [Stay.Lose].
type Stay struct {
	room     *room        // static
	inFlight atomic.Int32 // snapshots that are not delivered yet
	owner    Owner        // static; of no use without member

	// Guarded by room.mu.
	over   bool
	member *local // nil: the connection watches only
	said   said

	apart string // the id of the connection, see [Who.Apart]; static
}

// Enter adds a connection that is not in the room yet to its member. deliver is called once
// with a snapshot of the room: usually before Enter returns, but later and on another
// goroutine if the room must be read from the store first. deliver must not block and may
// be nil. Errors: [ErrClosed], and [ErrStatus] and [ErrInfo] for c.
func (t *Tracker) Enter(channel string, w Who, c Change, deliver func(*Snapshot)) (*Stay, error) {
	said, err := c.parse()
	if err != nil {
		return nil, err
	}
	key, s := w.User, &Stay{owner: User}
	if key == "" {
		key, s.owner = w.Connection, Connection
	}
	if w.Apart {
		s.apart = w.Connection
	}
	err = t.openFor(s, channel, func(r *room) {
		r.addStay(s, key, said)
		r.askSnapshot(request{s, "", deliver})
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Watch is like Enter, but the connection is not a member of the room.
func (t *Tracker) Watch(channel string, deliver func(*Snapshot)) (*Stay, error) {
	s := new(Stay)
	err := t.openFor(s, channel, func(r *room) {
		r.watchers++
		r.askSnapshot(request{s, "", deliver})
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openFor is open for a new stay. If f panics it ends the stay: the caller does not get the
// stay, so nothing else would end it.
func (t *Tracker) openFor(s *Stay, channel string, f func(*room)) error {
	returned := false
	defer func() {
		if !returned && s.room != nil {
			s.Leave()
		}
	}()
	err := t.open(channel, func(r *room) {
		s.room = r
		f(r)
	})
	returned = true
	return err
}

// Update changes the status and info of the connection. The room sees one update, or none if
// the member shows the same as before. On a stay of Watch, and on one that has ended, it
// does nothing. Errors are [ErrStatus] and [ErrInfo], and then nothing has changed.
func (s *Stay) Update(c Change) error {
	said, err := c.parse()
	if err != nil {
		return err
	}
	s.change(func() {
		if s.member != nil {
			s.room.applySaid(s, said)
		}
	})
	return nil
}

// Snapshot delivers the page of the room that starts after a key, or the first page if after
// is empty. It delivers as [Tracker.Enter] does, and nothing once the stay has ended. If
// too many snapshots are on their way it returns [ErrBusy].
func (s *Stay) Snapshot(after string, deliver func(*Snapshot)) (err error) {
	s.change(func() {
		if s.inFlight.Load() >= maxAsked {
			err = ErrBusy
			return
		}
		s.room.askSnapshot(request{s, after, deliver})
	})
	return err
}

// Leave ends the stay at the client's request. If it was the only one of its member, the
// member leaves at once.
func (s *Stay) Leave() { s.end(true) }

// Lose ends the stay because the connection is over. If it was the only one of its member,
// the member leaves after the grace.
func (s *Stay) Lose() { s.end(false) }

func (s *Stay) end(explicit bool) {
	s.change(func() {
		s.over = true
		s.room.removeStay(s, explicit)
	})
}

// change calls f in a change of the room, unless the stay has ended.
func (s *Stay) change(f func()) {
	s.room.change(func() {
		if !s.over {
			f()
		}
	})
}

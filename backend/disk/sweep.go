package disk

import (
	"encoding/binary"
	"time"
)

const (
	// sweepRooms and sweepKeys bound what one transaction looks at, so that publishers do
	// not wait long for it.
	sweepRooms = 1000
	sweepKeys  = 1000
	// idleFor is the least time that a room is kept after its last message, as in memory.
	idleFor = 24 * time.Hour
	// settle is how long after the start no room is removed: its clients may be on their
	// way back.
	settle = time.Hour
)

// sweeping is the operation that removes what has expired, a part in each transaction.
type sweeping struct {
	b     *Broker
	now   time.Time
	after []byte // channel that the latest step came to
	ended []string
	more  bool // there is another part
	err   error
}

func (s *sweeping) write(w *work) error {
	s.ended, s.more = nil, false
	if s.after == nil {
		if err := w.removeOver(s.now); err != nil {
			return err
		}
	}
	if err := s.keys(w); err != nil {
		return err
	}
	channels := s.next(w)
	for _, channel := range channels {
		if err := s.room(w, channel); err != nil {
			return err
		}
	}
	if len(channels) == sweepRooms {
		s.after, s.more = []byte(channels[sweepRooms-1]), true
	}
	return nil
}

// keys removes the oldest of the keys that count no more.
func (s *sweeping) keys(w *work) error {
	var over [][]byte
	oldest := uint64(s.now.Add(-s.b.store.o.KeyWindow).UnixNano())
	c := w.keys.Cursor()
	for at, _ := c.First(); at != nil && binary.BigEndian.Uint64(at) < oldest && len(over) < sweepKeys; at, _ = c.Next() {
		over = append(over, append([]byte(nil), at...))
	}
	for _, at := range over {
		if err := w.keys.Delete(at); err != nil {
			return err
		}
	}
	s.more = len(over) == sweepKeys
	return nil
}

// next returns the channels that the step looks at.
func (s *sweeping) next(w *work) (channels []string) {
	c := w.rooms.Cursor()
	for channel, _ := c.Seek(append(s.after[:len(s.after):len(s.after)], 0)); channel != nil && len(channels) < sweepRooms; channel, _ = c.Next() {
		channels = append(channels, string(channel))
	}
	return channels
}

// room removes the expired messages of a room, and the room if it was not used for long.
func (s *sweeping) room(w *work, channel string) error {
	_, used := w.open[channel]
	r, err := w.room(channel)
	if err != nil || r == nil {
		return err
	}
	if s.over(r) && !s.b.memory.Has(channel) {
		s.ended = append(s.ended, channel)
		_, err := w.end(channel)
		return err
	}
	dropped := false
	for r.ttl > 0 && r.first <= r.top {
		_, stored, err := decodeHead(w.messages.Get(place(r.id, r.first)))
		if err != nil {
			return err
		}
		if s.now.Sub(stored) < r.ttl {
			break
		}
		if err := w.dropFirst(r); err != nil {
			return err
		}
		dropped = true
	}
	if !used && !dropped {
		delete(w.open, channel) // nothing to write
	}
	return nil
}

// over reports whether a room was not used for so long that it is not kept.
func (s *sweeping) over(r *roomRecord) bool {
	return s.now.Sub(s.b.store.opened) > settle && s.now.Sub(r.used) > max(idleFor, 10*min(r.ttl, 365*idleFor))
}

func (s *sweeping) finish(err error) {
	if s.err = err; err != nil {
		return
	}
	if box := s.b.store.box.Load(); box != nil && !s.more {
		box.Tidy(s.now)
	}
	for _, channel := range s.ended {
		s.b.store.note(channel, false)
		s.b.store.generations.next(channel)
		s.b.memory.End(channel)
	}
}

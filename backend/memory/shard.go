package memory

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// roomBytes is what a room costs without messages and keys: the struct, an empty log, its
// place in the table.
const roomBytes = 384

// shard is one table of rooms.
type shard struct {
	// Set by init.
	used   *atomic.Int64 // Broker.used
	keyed  *atomic.Int64 // Broker.keyed
	secret string        // of the broker, for epochs
	// durable is Options.Durable. If it is not nil, a room that is removed can be loaded again.
	durable Durable

	// forgotten counts the logs with messages that were dropped. It is changed before such
	// a log can start anew, so that the new log has another epoch. With durable it is not used.
	forgotten atomic.Uint64

	mu     sync.Mutex
	closed bool
	rooms  map[string]*room
	idle   idleList // the rooms with attached == 0
}

func (s *shard) init(used, keyed *atomic.Int64, secret string) {
	s.used, s.keyed, s.secret, s.rooms = used, keyed, secret, make(map[string]*room)
}

// epoch returns the epoch of a log that starts now, or of a room without a log. It stays
// the same until the shard drops a log, or until the generation of durable changes. So a client
// that saw a room before its first message can go on from there, although nothing was kept for
// the room.
func (s *shard) epoch(channel string) string {
	generation := s.forgotten.Load()
	if s.durable != nil {
		generation = s.durable.Generation(channel)
	}
	return history.EpochOf(channel, s.secret, generation)
}

// pin returns a room, pinned. If there is none, it makes one or returns nil without an
// error, as create says. A pinned room stays in the table until unpin.
func (s *shard) pin(channel string, now time.Duration, create bool) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, hub.ErrClosed
	}
	r := s.rooms[channel]
	switch {
	case r == nil && !create:
		return nil, nil
	case r == nil:
		r = s.add(channel, now)
	case r.attached == 0:
		r.used = now
		s.idle.remove(r)
		s.idle.push(r)
	}
	r.pins.Add(1)
	return r, nil
}

// pinLogged pins and returns a room that has a log. It returns nil for all others.
func (s *shard) pinLogged(channel string) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, hub.ErrClosed
	}
	r := s.rooms[channel]
	if r == nil || r.log.Load() == nil {
		return nil, nil
	}
	r.pins.Add(1)
	return r, nil
}

// attach counts an attachment and returns the room, pinned.
func (s *shard) attach(channel string, now time.Duration) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, hub.ErrClosed
	}
	r := s.rooms[channel]
	if r == nil {
		r = s.add(channel, now)
	}
	s.count(r, 1, now)
	r.pins.Add(1)
	return r, nil
}

// detach takes an attachment back. A room that holds nothing else is removed at once.
func (s *shard) detach(channel string, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	r := s.rooms[channel]
	if r == nil {
		// The Attach that belongs to this is still on its way.
		r = s.add(channel, now)
	}
	s.count(r, -1, now)
	if r.attached == 0 && r.pins.Load() == 0 && r.bare() {
		s.remove(r)
	}
}

// add makes a room without attachments. The caller holds mu.
func (s *shard) add(channel string, now time.Duration) *room {
	// A copy of the name: the caller's may be a small part of a large frame.
	r := &room{channel: strings.Clone(channel), home: s, used: now}
	s.rooms[r.channel] = r
	s.idle.push(r)
	s.used.Add(weight(r))
	return r
}

// count changes the number of attachments. The caller holds mu.
func (s *shard) count(r *room, n int, now time.Duration) {
	if r.attached == 0 {
		s.idle.remove(r)
		s.used.Add(-weight(r))
	}
	if r.attached += n; r.attached == 0 {
		r.used = now
		s.idle.push(r)
		s.used.Add(weight(r))
	}
}

// remove drops an idle room without pins. The caller holds mu.
func (s *shard) remove(r *room) {
	if published(r.log.Load()) && s.durable == nil {
		s.forgotten.Add(1)
	}
	delete(s.rooms, r.channel)
	s.idle.remove(r)
	s.used.Add(-weight(r) - r.bytes)
	s.keyed.Add(-r.keyed)
}

// pinAll appends all rooms to rs, pinned.
func (s *shard) pinAll(rs []*room) []*room {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rooms {
		r.pins.Add(1)
		rs = append(rs, r)
	}
	return rs
}

// shut drops everything and makes all later calls fail.
func (s *shard) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.rooms, s.idle = true, nil, idleList{}
}

// weight is what the record of an unattached room counts against the memory bound. The
// record of an attached room is part of what a connection costs, and the limits on
// connections bound it: if it counted here, many quiet rooms would push out everybody's
// messages.
func weight(r *room) int64 { return int64(roomBytes + len(r.channel)) }

package memory

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Durable keeps the rooms of a broker beyond the process. With it, a room that the broker
// drops from memory is no loss: the next use loads the room again. Something else writes
// what Durable keeps, decides on positions, and hands over what is committed by
// [Broker.Place].
type Durable interface {
	// Load reads a room. It returns nil if nothing is kept of the room. It is called with the
	// room's lock held.
	Load(channel string) (*Saved, error)
	// Generation returns a number that has changed when the room's latest log was removed. It is
	// called with the room's lock held.
	Generation(channel string) uint64
}

// Saved is a room as a [Durable] keeps it.
type Saved struct {
	// Before is the position before the oldest message.
	Before hub.Position
	// Messages are in the order of their offsets and without holes. Times says when each was
	// stored.
	Messages []*hub.Message
	Times    []time.Time
}

// Epoch returns the epoch of a room's log, or the one that a new log of the room would have.
func (b *Broker) Epoch(channel string) string {
	s := b.shard(channel)
	r, err := s.pin(channel, time.Since(b.born), false)
	if err != nil || r == nil {
		return s.epoch(channel)
	}
	defer r.unpin()
	if l := r.log.Load(); l != nil {
		return l.Top().Epoch
	}
	return s.epoch(channel)
}

// FindKey returns the result of the message with a key, if the broker knows the key. The error is
// [hub.ErrKeyReused] if the message had another digest.
func (b *Broker) FindKey(channel, key string, digest uint32) (p hub.Published, found bool, err error) {
	now := time.Since(b.born)
	r, err := b.shard(channel).pin(channel, now, false)
	if err != nil || r == nil {
		return p, false, err
	}
	defer r.unpin()
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.keys.find(now, key, b.o.KeyWindow)
	switch {
	case !ok:
		return p, false, nil
	case s.digest != digest:
		return p, true, hub.ErrKeyReused
	}
	return hub.Published{Position: s.position(), Duplicate: true}, true, nil
}

// RestoreKey remembers a key that came at a time before the broker was made.
func (b *Broker) RestoreKey(channel, key string, p hub.Position, digest uint32, at time.Time) {
	r, err := b.shard(channel).pin(channel, time.Since(b.born), true)
	if err != nil {
		return
	}
	defer r.unpin()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remember(at.Sub(b.born), key, p, digest, b.o)
	b.account(r)
}

// Placed is a message that is committed at a position. The position is zero if the message has
// none.
type Placed struct {
	Message *hub.Message
	At      hub.Position
	Time    time.Time
	Digest  uint32 // of a message with a key
	Options hub.PublishOptions
}

// Place adds a committed message to its room and delivers it. The caller has recorded it for the app
// with [Outbox.RecordStoring]. The caller places the messages of
// a room in the order of their positions. It fails only if the broker is closed.
func (b *Broker) Place(p Placed) error {
	r, err := b.shard(p.Message.Channel).pin(p.Message.Channel, p.Time.Sub(b.born), true)
	if err != nil {
		return err
	}
	b.placeIn(r, p)
	b.bound()
	return nil
}

// placeIn is Place in a pinned room, which it unpins.
func (b *Broker) placeIn(r *room, p Placed) {
	defer r.unpin()
	r.mu.Lock()
	defer r.mu.Unlock()
	p.Message.Position = p.At
	if !p.At.IsZero() {
		r.retention = p.Options.Retention
		b.place(r, p)
	}
	if key := p.Options.Key; key != "" {
		r.remember(p.Time.Sub(b.born), key, p.At, p.Digest, b.o)
	}
	b.account(r)
	b.broadcast(p.Message, p.Options.Feed)
}

// place appends a message to the log of a room. If the log does not end before the message, the
// room is loaded: the message is committed, so the loaded log has it. The caller holds the
// room's lock.
func (b *Broker) place(r *room, p Placed) {
	l := r.log.Load()
	if follows(l, p.At) {
		r.append(p.Time, p.Message)
		r.loaded = true
		return
	}
	if l != nil && l.Top().Epoch == p.At.Epoch && l.Top().Offset >= p.At.Offset {
		return // loaded by a reader after the commit
	}
	r.loaded = false
	if b.load(r, p.Time) == nil && r.log.Load() != nil {
		return
	}
	// The store can not be read. Readers learn that what comes before is not here.
	r.log.Store(history.New[*hub.Message](history.Position{Epoch: p.At.Epoch, Offset: p.At.Offset - 1}, p.Time))
	r.append(p.Time, p.Message)
}

// follows reports whether a message at a position is the next one of a log.
func follows(l *log, at hub.Position) bool {
	return l != nil && l.Top().Epoch == at.Epoch && l.Top().Offset+1 == at.Offset
}

// load reads a room from Options.Durable, once. The caller holds the room's lock.
func (b *Broker) load(r *room, now time.Time) error {
	if b.o.Durable == nil || r.loaded {
		return nil
	}
	s, err := b.o.Durable.Load(r.channel)
	if err != nil {
		return err
	}
	r.loaded = true
	if s == nil {
		return nil
	}
	if len(s.Times) > 0 {
		now = s.Times[0]
	}
	l := history.New[*hub.Message](history.Position(s.Before), now)
	all := history.Bounds{Size: max(len(s.Messages), 1)}
	for i, m := range s.Messages {
		l.Append(s.Times[i], history.Entry[*hub.Message]{Value: m, Anchor: m.Position.Anchor, Cost: cost(m)}, all)
	}
	r.log.Store(l)
	return nil
}

// End drops the log of a room for good: a position in it continues nowhere. The caller has
// removed the room from Options.Durable, which has changed the room's generation.
func (b *Broker) End(channel string) {
	s := b.shard(channel)
	r, err := s.pin(channel, time.Since(b.born), true)
	if err != nil {
		return
	}
	defer r.unpin()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loaded = true
	r.log.Store(nil)
	b.account(r)
}

// Has reports whether a room is in memory.
func (b *Broker) Has(channel string) bool {
	s := b.shard(channel)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms[channel] != nil
}

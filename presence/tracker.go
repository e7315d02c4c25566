package presence

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Tracker keeps the members of the rooms in which this node has connections.
type Tracker struct {
	// Static after New.
	store    Store
	announce func(channel string, f Frame)
	ctx      context.Context // of calls of the store
	cancel   context.CancelFunc
	life     life
	pool     pool

	settings atomic.Pointer[Settings]
	warned   atomic.Int64 // when a failure of the store was last logged, in Unix seconds

	// Guarded by mu.
	mu     sync.Mutex
	rooms  map[string]*room
	closed bool
}

// New returns a tracker with the store that open makes. The tracker is the store's Sink.
// [Tracker.Close] closes the store. announce sends a frame to the connections that a room
// has on this node. It is called in the order of a room's frames, one call at a time for a
// room, without locks of the tracker. It must not block.
func New(open func(Sink) (Store, error), announce func(channel string, f Frame)) (*Tracker, error) {
	t := &Tracker{announce: announce, rooms: make(map[string]*room)}
	t.pool.life, t.pool.log = &t.life, t.logger
	t.settings.Store(new(Settings{}.withDefaults()))
	t.ctx, t.cancel = context.WithCancel(context.Background())
	store, err := open(t)
	if err != nil {
		t.cancel()
		return nil, err
	}
	t.store = store
	return t, nil
}

func (t *Tracker) logger() *slog.Logger { return t.settings.Load().Logger }

// Apply applies new settings, also to the rooms that exist.
func (t *Tracker) Apply(s Settings) {
	s = s.withDefaults()
	t.settings.Store(&s)
}

// Members reads members of a room from the store. The room need not have connections on this
// node. If the store fails and the room has some, the page is what this node has announced
// last, without offline members, and Partial is set.
func (t *Tracker) Members(ctx context.Context, channel string, q Query) (Page, error) {
	page, err := t.store.List(ctx, channel, q)
	if err == nil {
		return page, nil
	}
	if r := t.room(channel); r != nil && r.look(func() { page = r.listView(q) }) {
		return page, nil
	}
	return Page{}, err
}

// Present reports whether a member with a key is in a room, as a user or as an anonymous
// connection; [Either] accepts both. If this node does not know the member, the store is asked.
// Errors are those of the store.
func (t *Tracker) Present(ctx context.Context, channel, key string, as Owner) (bool, error) {
	if r := t.room(channel); r != nil {
		there := false
		r.look(func() {
			m := r.view.get(key)
			there = m != nil && m.Owner.May(as)
		})
		if there {
			return true, nil
		}
	}
	return t.store.Has(ctx, channel, key, as)
}

// listView answers a query from the view. Needs mu.
func (r *room) listView(q Query) Page {
	s := r.view.page(q.After, max(q.Limit, 1))
	page := Page{Count: s.Count, More: s.Next != "", Partial: true}
	if q.Limit > 0 {
		for _, m := range s.Members {
			page.Members = append(page.Members, Listed{Member: m})
		}
	}
	return page
}

// room returns the room of a channel, or nil.
func (t *Tracker) room(channel string) *room {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rooms[channel]
}

// open calls f in a change of the room of a channel; of a new one if there is none.
func (t *Tracker) open(channel string, f func(*room)) error {
	for {
		r, err := t.roomOrNew(channel)
		if err != nil {
			return err
		}
		if r.change(func() { f(r) }) {
			return nil
		} // else it was dropped in between
	}
}

// roomOrNew returns the room of a channel; a new one if there is none.
func (t *Tracker) roomOrNew(channel string) (*room, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, ErrClosed
	}
	r := t.rooms[channel]
	if r == nil {
		r = &room{tracker: t, channel: channel, locals: make(map[string]*local)}
		t.rooms[channel] = r
	}
	return r, nil
}

// logFailure logs a failure of the store, at most every ten seconds.
func (t *Tracker) logFailure(err error) {
	now, last := time.Now().Unix(), t.warned.Load()
	if err == nil || t.ctx.Err() != nil || now-last < 10 || !t.warned.CompareAndSwap(last, now) {
		return
	}
	t.settings.Load().Logger.Warn("presence store fails, rooms show the members of this node", "error", err)
}

// Close closes the tracker and its store. No member leaves: the clients of a node that stops
// reconnect to another node before the store takes the first one for dead. Announcing that
// they left would be noise.
func (t *Tracker) Close() error {
	if !t.life.finish() {
		return nil
	}
	for _, r := range t.stopAll() {
		r.mu.Lock()
		r.markDead()
		r.mu.Unlock()
	}
	t.cancel()
	t.life.wg.Wait()
	return t.store.Close()
}

func (t *Tracker) stopAll() []*room {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return slices.Collect(maps.Values(t.rooms))
}

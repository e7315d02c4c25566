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

// Tracker knows who is in the rooms in which this node has connections.
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

// New returns a tracker on the store that open makes. The tracker is the store's
// Sink and closes it in [Tracker.Close]. announce brings a frame to this node's
// connections of a room. It is called in the order of a room's frames, never twice
// at a time for one room, without locks, and must not block.
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

// Apply puts s in force, for the rooms that exist as well.
func (t *Tracker) Apply(s Settings) {
	s = s.withDefaults()
	t.settings.Store(&s)
}

// Members reads members of a room from the store, also of rooms without a
// connection here. If that fails, and the room has connections here, the page is
// what this node has announced last, without those who are offline, and Partial.
func (t *Tracker) Members(ctx context.Context, channel string, q Query) (Page, error) {
	page, err := t.store.List(ctx, channel, q)
	if err == nil {
		return page, nil
	}
	if r := t.room(channel); r != nil && r.look(func() { page = r.list(q) }) {
		return page, nil
	}
	return Page{}, err
}

// Present reports whether a member is in a room, as far as this node knows or else
// the store. Errors are the store's.
func (t *Tracker) Present(ctx context.Context, channel, key string) (bool, error) {
	if r := t.room(channel); r != nil {
		there := false
		r.look(func() { there = r.view.get(key) != nil })
		if there {
			return true, nil
		}
	}
	return t.store.Has(ctx, channel, key)
}

// list answers a query from the view.
func (r *room) list(q Query) Page {
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

// report tells the operator that the store fails, now and then.
func (t *Tracker) report(err error) {
	now, last := time.Now().Unix(), t.warned.Load()
	if err == nil || t.ctx.Err() != nil || now-last < 10 || !t.warned.CompareAndSwap(last, now) {
		return
	}
	t.settings.Load().Logger.Warn("presence store fails, rooms show the members of this node", "error", err)
}

// Close ends the tracker and its store. No member leaves by it: the clients of a
// node that goes away come back to another one, which the store's lease for a dead
// node allows for, and to tell others that they left would be mere noise.
func (t *Tracker) Close() error {
	if !t.life.finish() {
		return nil
	}
	for _, r := range t.shut() {
		r.mu.Lock()
		r.end()
		r.mu.Unlock()
	}
	t.cancel()
	t.life.wg.Wait()
	return t.store.Close()
}

func (t *Tracker) shut() []*room {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return slices.Collect(maps.Values(t.rooms))
}

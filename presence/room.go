package presence

import (
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// room is what the tracker keeps of a channel while it has connections on this node, or
// until the store knows that it has none.
type room struct {
	// Static after creation.
	tracker *Tracker
	channel string

	mu sync.Mutex
	// All below is guarded by mu.
	dead     bool // removed from the tracker; nothing changes any more
	locals   map[string]*local
	watchers int // stays that are not members
	clock    uint64
	graces   graces
	view     view
	seq      uint64
	flushAt  time.Time // zero: nothing to announce
	partial  bool      // the store failed since the last read
	flagged  bool      // the announced value of partial
	shown    bool      // the view may be shown: it was read, or the store has failed
	waiting  []request // snapshots that are delivered then
	link     link
	timer    *time.Timer
	wakeAt   time.Time // when timer fires; zero if it does not
	out      []func()  // announcements and deliveries, in order
	emitting bool      // a goroutine is in runOut
}

// request is a snapshot that a connection waits for.
type request struct {
	stay    *Stay
	after   string
	deliver func(*Snapshot)
}

func (r *room) options() Options { return r.tracker.settings.Load().Room(r.channel) }

// change runs f with mu held, unless the room is dead. Then it sets the timer, queues
// the room for the store's workers and runs what f has put in out. It reports whether
// it called f.
func (r *room) change(f func()) (alive bool) {
	defer r.runOut() // after the unlock
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead {
		return false
	}
	defer r.commit()
	f()
	return true
}

// look runs f with mu held, unless the room is dead. f changes nothing. It reports
// whether it called f.
func (r *room) look(f func()) (alive bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.dead {
		f()
	}
	return !r.dead
}

// commit follows a change. Needs mu.
func (r *room) commit() {
	r.arm()
	r.queueForStore()
}

// runOut runs the announcements and deliveries in out, in order and without mu. If another
// goroutine is doing so, that one runs these as well.
func (r *room) runOut() {
	for out := r.takeOut(false); len(out) > 0; out = r.takeOut(true) {
		for _, f := range out {
			guard.Run(r.tracker.logger(), "an announcement of presence", f)
		}
	}
}

// takeOut returns what runOut runs next. It returns nothing if another goroutine is in
// runOut. mine is true if the caller is that goroutine, which is so from the second call on.
func (r *room) takeOut(mine bool) []func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.emitting && !mine {
		return nil
	}
	out := r.out
	r.out, r.emitting = nil, len(out) > 0
	return out
}

// arm sets the timer for what is due first. Needs mu.
func (r *room) arm() {
	next := earliest(r.flushAt, r.graces.first(), r.link.retryAt)
	if r.dead || next.Equal(r.wakeAt) {
		return
	}
	r.wakeAt = next
	switch {
	case next.IsZero():
		r.timer.Stop()
	case r.timer == nil:
		r.timer = time.AfterFunc(time.Until(next), r.wake)
	default:
		r.timer.Reset(time.Until(next))
	}
}

// afterPanic is the pause after a panic of wake.
const afterPanic = time.Second

// wake does what is due. A timer that fires late or without need does no harm.
func (r *room) wake() {
	if !r.tracker.life.start() {
		return
	}
	defer r.tracker.life.end()
	defer guard.Recover(r.tracker.logger(), "the timer of a room's presence", r.wakeLater)
	r.change(func() {
		now := time.Now()
		r.wakeAt = time.Time{}
		r.expireGraces(now)
		if due(r.flushAt, now) {
			r.flush()
		}
		if due(r.link.retryAt, now) {
			r.link.retryAt = time.Time{}
		}
	})
}

// wakeLater follows a panic of wake. After a pause the room announces what the panic left
// unannounced.
func (r *room) wakeLater() {
	r.change(func() {
		r.scheduleFlush()
		if !r.flushAt.IsZero() {
			r.flushAt = time.Now().Add(afterPanic)
		}
	})
}

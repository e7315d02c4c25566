package presence

import (
	"container/heap"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// room is what the tracker keeps of a channel while it has connections here, or
// the store is yet to be told that it has none.
type room struct {
	// Static after creation.
	tracker *Tracker
	channel string

	mu sync.Mutex
	// All below is guarded by mu.
	dead     bool // out of the tracker; nothing changes any more
	locals   map[string]*local
	watchers int // stays that are not members
	clock    uint64
	graces   graces
	view     view
	seq      uint64
	flushAt  time.Time // zero: nothing to announce
	partial  bool      // the store failed since it was last read
	flagged  bool      // partial as it was announced
	ready    bool      // the view may be shown: read from the store, or given up on for now
	waiting  []request // snapshots to be delivered when it is
	link     link
	timer    *time.Timer
	wakeAt   time.Time // when timer fires; zero: it does not
	out      []func()  // announcements and deliveries, in order
	emitting bool      // somebody is working through out
}

// request is a snapshot that somebody waits for.
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
	defer r.emit() // after the unlock
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

// emit runs the announcements and deliveries in out, in order and without mu. If another
// goroutine is doing so, that one runs these as well.
func (r *room) emit() {
	for out := r.takeOut(false); len(out) > 0; out = r.takeOut(true) {
		for _, f := range out {
			guard.Run(r.tracker.logger(), "an announcement of presence", f)
		}
	}
}

// takeOut returns what emit runs next. mine is false in the first call of an emit.
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

// arm sets the timer to what is due first.
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

// wake does what is due. A timer that fires late or in vain does no harm.
func (r *room) wake() {
	if !r.tracker.life.begin() {
		return
	}
	defer r.tracker.life.end()
	defer guard.Recover(r.tracker.logger(), "the timer of a room's presence", r.wakeLater)
	r.change(func() {
		now := time.Now()
		r.wakeAt = time.Time{}
		r.expire(now)
		if due(r.flushAt, now) {
			r.flush()
		}
		if due(r.link.retryAt, now) {
			r.link.retryAt = time.Time{}
		}
	})
}

// wakeLater has what a panic of wake left unannounced announced after a pause.
func (r *room) wakeLater() {
	r.change(func() {
		r.changed()
		if !r.flushAt.IsZero() {
			r.flushAt = time.Now().Add(afterPanic)
		}
	})
}

// enter adds a connection to its member.
func (r *room) enter(s *Stay, key string, anonymous bool, p parsed) {
	l := r.locals[key]
	if l == nil {
		l = &local{key: key, anonymous: anonymous}
		r.locals[key] = l
	}
	s.member, l.lost = l, nil
	l.stays = append(l.stays, s)
	r.say(s, p)
}

// say applies what a connection says about its member.
func (r *room) say(s *Stay, p parsed) {
	r.clock++
	s.said.apply(p, r.clock)
	r.update(s.member)
}

// update follows a change of a member's connections.
func (r *room) update(l *local) {
	if len(l.stays) > 0 { // else what it showed last stays through the grace
		l.show(r.options().Remember)
	}
	switch {
	case r.partial:
		r.fallBack(l)
	case l.here() && r.view.get(l.key) == nil:
		// Shown before the store confirms it, because it is certain, and so that a
		// store that fails takes nothing away.
		r.view.put(l.shown)
		l.unknown = true
	case !l.here() && l.unknown:
		r.view.drop(l.key) // else what others see of its end is for the store to say
	}
	r.reconsider(l)
	r.changed()
}

// leave ends a stay.
func (r *room) leave(s *Stay, explicit bool) {
	l := s.member
	if l == nil {
		r.watchers--
		return
	}
	l.remove(s)
	now := time.Now()
	var grace time.Duration
	if !l.anonymous {
		grace = r.options().Grace
	}
	at := leaveAt(now, l.until(), grace, explicit)
	switch {
	case len(l.stays) > 0:
		if !explicit {
			l.lost = &lost{l, at}
		}
	case at.After(now):
		l.seen, l.lost = now, &lost{l, at}
		heap.Push(&r.graces, l.lost)
	default:
		l.seen, l.lost = now, nil
	}
	r.update(l)
}

// expire ends the graces that are over.
func (r *room) expire(now time.Time) {
	for due(r.graces.first(), now) {
		over := heap.Pop(&r.graces).(*lost)
		if l := over.member; l.lost == over && len(l.stays) == 0 {
			l.lost = nil
			r.update(l)
		}
	}
}

// changed sees to it that a change of the view is announced after the window.
func (r *room) changed() {
	switch {
	case !r.ready:
	case len(r.view.pending) == 0 && r.flagged == r.partial:
		r.flushAt = time.Time{} // it has cancelled out
	case r.flushAt.IsZero():
		r.flushAt = time.Now().Add(Window(r.view.announced.Len()))
	}
}

// flush announces what has changed.
func (r *room) flush() {
	r.flushAt = time.Time{}
	limit := r.options().limit()
	whole := len(r.view.pending) > limit
	c := r.view.flush()
	r.seq++
	r.flagged = r.partial
	if whole {
		r.announce(r.snapshot("", limit))
		return
	}
	r.announce(&Diff{
		Channel: r.channel, Seq: r.seq,
		Entered: c.entered, Updated: c.updated, Left: c.left,
		Count: r.view.announced.Len(), Partial: r.partial,
	})
}

func (r *room) announce(f Frame) {
	r.out = append(r.out, func() { r.tracker.announce(r.channel, f) })
}

// ask is request for a snapshot that nobody has asked for before.
func (r *room) ask(q request) {
	if q.deliver != nil {
		q.stay.asked.Add(1)
		r.request(q)
	}
}

// request delivers a snapshot, or will when there is one.
func (r *room) request(q request) {
	switch {
	case q.stay.over:
	case !r.ready:
		r.waiting = append(r.waiting, q)
	default:
		s := r.snapshot(q.after, r.options().limit())
		if l := q.stay.member; l != nil && l.here() && r.view.announced.Get(l.key) == nil {
			s.Self = l.shown
		}
		r.out = append(r.out, func() { r.deliver(q, s) })
	}
}

// deliver gives a snapshot to whoever asked for it, unless they left meanwhile. It is
// called without the lock.
func (r *room) deliver(q request, s *Snapshot) {
	defer q.stay.asked.Add(-1)
	r.mu.Lock()
	over := q.stay.over
	r.mu.Unlock()
	if !over {
		q.deliver(s)
	}
}

func (r *room) snapshot(after string, limit int) *Snapshot {
	s := r.view.page(after, limit)
	s.Channel, s.Seq, s.Partial = r.channel, r.seq, r.partial
	return s
}

// show makes the view one that may be shown. Nobody has seen anything of it, so
// that what is pending needs no frame.
func (r *room) show() {
	if r.ready {
		return
	}
	r.ready, r.flagged = true, r.partial
	r.view.flush()
	for _, q := range r.waiting {
		r.request(q)
	}
	r.waiting = nil
}

package hub

import (
	"sync"
	"time"
)

// beatSlots is the number of parts of a heartbeat interval. Each connection belongs to one
// of them, so that pings are spread over the interval without a timer per connection.
const beatSlots = 64

// heartbeat pings all connections once per interval and closes silent ones.
//
// At each tick its goroutine pings the connections of one slot, and checks the answers of
// the slot that was pinged one timeout ago.
type heartbeat struct {
	// Static after newHeartbeat.
	hub    *Hub
	start  time.Time
	resets chan struct{}
	done   chan struct{}
	ended  chan struct{}

	// Owned by run.
	pinged [beatSlots]time.Duration // when each slot was pinged; 0 never
	last   time.Duration            // of the last tick
	trust  time.Duration            // before this time silence proves nothing

	// Guarded by mu.
	mu    sync.Mutex
	slots [beatSlots][]*Conn
	past  [beatSlots]map[Kind]Sent // what connections were sent that have left the slot
	next  int32                    // slot of the next connection
}

func newHeartbeat(h *Hub) *heartbeat {
	b := &heartbeat{
		hub: h, start: time.Now(),
		resets: make(chan struct{}, 1), done: make(chan struct{}), ended: make(chan struct{}),
	}
	go b.run()
	return b
}

// now is the time since the hub's start, on the monotonic clock.
func (b *heartbeat) now() time.Duration { return time.Since(b.start) }

// reset makes the goroutine apply new settings.
func (b *heartbeat) reset() {
	select {
	case b.resets <- struct{}{}:
	default: // a reset is pending
	}
}

func (b *heartbeat) stop() {
	close(b.done)
	<-b.ended
}

func (b *heartbeat) run() {
	defer close(b.ended)
	defer b.hub.survive("the heartbeat")
	tick := time.NewTicker(tickOf(b.hub.Settings()))
	defer tick.Stop()
	for slot := 0; ; {
		select {
		case <-b.done:
			return
		case <-b.resets:
			tick.Reset(tickOf(b.hub.Settings()))
		case <-tick.C:
			b.visit(slot)
			slot = (slot + 1) % beatSlots
		}
	}
}

func tickOf(s Settings) time.Duration { return max(s.Heartbeat/beatSlots, time.Millisecond) }

// visit calls beat and recovers its panics.
func (b *heartbeat) visit(slot int) {
	defer b.hub.survive("the heartbeat")
	b.beat(slot)
}

// beat pings one slot and checks the one that was pinged one timeout ago.
func (b *heartbeat) beat(slot int) {
	s, now := b.hub.Settings(), b.now()
	if late := now - b.last - tickOf(s); late > s.Timeout/2 {
		// This process was paused, so answers may wait unread.
		b.trust = now + s.Timeout
	}
	b.last = now
	old := (slot - lag(s) + beatSlots) % beatSlots
	if asked := b.pinged[old]; asked > 0 && now >= b.trust {
		for _, c := range b.snapshot(old) {
			if c.answers && silent(time.Duration(c.heard.Load()), asked, now, s) {
				b.hub.stats.silent.Add(1)
				c.Close(ReasonSilent)
			}
		}
	}
	b.pinged[slot] = now
	for _, c := range b.snapshot(slot) {
		b.ping(c)
	}
}

// ping pings a connection. A panic costs this connection, which would count as silent. The
// others of its slot get their pings.
func (b *heartbeat) ping(c *Conn) {
	defer func() {
		if v := recover(); v != nil {
			b.hub.panicked("a ping", v)
			c.Close(ReasonLost)
		}
	}()
	c.ping()
}

// lag returns the number of ticks after which a ping has timed out.
func lag(s Settings) int {
	tick := tickOf(s)
	return min(int((s.Timeout+tick-1)/tick), beatSlots)
}

// silent reports whether a client was pinged at least one timeout ago, to the accuracy of
// a tick, and was not heard since.
func silent(heard, asked, now time.Duration, s Settings) bool {
	return heard < asked && now-asked >= s.Timeout-tickOf(s)
}

// snapshot copies a slot, so that its connections are visited without the lock.
func (b *heartbeat) snapshot(slot int) []*Conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*Conn(nil), b.slots[slot]...)
}

func (b *heartbeat) add(c *Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.slot = b.next
	b.next = (b.next + 1) % beatSlots
	c.place = int32(len(b.slots[c.slot]))
	b.slots[c.slot] = append(b.slots[c.slot], c)
}

// remove removes a connection that was sent so much in the end.
func (b *heartbeat) remove(c *Conn, sent Sent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	in := b.slots[c.slot]
	last := len(in) - 1
	in[c.place] = in[last]
	in[c.place].place = c.place
	in[last] = nil
	b.slots[c.slot] = in[:last]
	if c.observer {
		return
	}
	if b.past[c.slot] == nil {
		b.past[c.slot] = make(map[Kind]Sent)
	}
	kind := c.kind.Value()
	b.past[c.slot][kind] = b.past[c.slot][kind].plus(sent)
}

package session

import (
	"context"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	// countPause is how long changes of a channel are collected before its subscriptions are counted.
	countPause = time.Second
	// largeRoom is how many subscriptions make a channel large. A large one is counted less often, because
	// each of its subscribers is sent each number.
	largeRoom  = 100
	largePause = 5 * time.Second
	// maxCounted bounds the names of channels in one question to other nodes, in bytes.
	maxCounted = 6 << 10
)

// Audience makes known how many subscriptions channels have on all nodes, when that changes. Only
// the channels of [Config.Counted] are counted, and nothing is done without any.
//
// A node collects what has changed on it for a second. Then it asks the other nodes for their
// numbers, and sends the sum to its own subscribers. The question also says what has changed, so that the other
// nodes do the same a moment later. So all nodes come to the same number, whatever order the
// changes had. The subscriptions of a node that has died are in no number from the next change on.
type Audience struct {
	// Static after New.
	registry *Registry

	mu      sync.Mutex
	changed map[string]bool      // channels to count; true if the change was on this node. Guarded by mu
	resting map[string]time.Time // until when a large channel is not counted. Guarded by mu
	waiting bool                 // a timer of tick runs, or tick does. Guarded by mu
}

// countQuestion asks a node how many subscriptions it has in each channel, or how many connections of
// each user. The first ones have changed on the node that asks.
type countQuestion struct {
	Channels []string `json:"channels,omitempty"`
	Users    []string `json:"users,omitempty"`
	Changed  int      `json:"changed,omitempty"`
}

// changedOf returns how many of the names in a question have changed.
func (q *countQuestion) changedOf(names []string) int { return min(max(q.Changed, 0), len(names)) }

// part is a part of the names that are to be counted, for one question. The first ones have changed on
// this node.
type part struct {
	names   []string
	changed int
}

// takeParts takes names out of those that are to be counted, which are true if they have changed on this
// node. It leaves those that rest.
func takeParts(names map[string]bool, rests func(name string) bool) (all []part) {
	for _, here := range []bool{true, false} {
		bytes := maxCounted // begin a new part
		for name, changed := range names {
			if changed != here || rests(name) {
				continue
			}
			delete(names, name)
			size := len(protocol.AppendString(nil, name)) + 1
			if bytes += size; bytes > maxCounted {
				all, bytes = append(all, part{}), size
			}
			p := &all[len(all)-1]
			if p.names = append(p.names, name); here {
				p.changed++
			}
		}
	}
	return all
}

// sums adds up what each node has counted of n names.
func sums(pages [][]int, n int) []int {
	all := make([]int, n)
	for _, page := range pages {
		for i := range min(n, len(page)) {
			all[i] += page[i]
		}
	}
	return all
}

func (a *Audience) init(r *Registry) {
	a.registry = r
	a.changed, a.resting = make(map[string]bool), make(map[string]time.Time)
}

// apply starts or stops to watch the rooms.
func (a *Audience) apply(u *rules) {
	if u.counted == nil {
		a.registry.hub.WatchChanges(nil)
		return
	}
	a.registry.hub.WatchChanges(func(channel string) {
		if u.counted(channel) {
			a.note(channel, true)
		}
	})
}

// note notes that a channel is to be counted. here says that it has changed on this node.
func (a *Audience) note(channel string, here bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changed[channel] = a.changed[channel] || here
	if !a.waiting {
		a.waiting = true
		time.AfterFunc(countPause, a.tick)
	}
}

// tick counts what has changed. One call at a time runs.
func (a *Audience) tick() {
	defer guard.Recover(a.registry.rules.Load().log, "counting subscriptions", a.again)
	for _, p := range a.due(time.Now()) {
		a.count(p)
	}
	a.again()
}

// again starts the next timer if something is left to count.
func (a *Audience) again() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.registry.hub.Ended() {
		clear(a.changed)
	}
	if a.waiting = len(a.changed) > 0; a.waiting {
		time.AfterFunc(countPause, a.tick)
	}
}

// due takes the channels that are to be counted now.
func (a *Audience) due(now time.Time) []part {
	a.mu.Lock()
	defer a.mu.Unlock()
	for channel, until := range a.resting {
		if !now.Before(until) {
			delete(a.resting, channel)
		}
	}
	return takeParts(a.changed, func(channel string) bool {
		_, rests := a.resting[channel]
		return rests
	})
}

// count counts channels, and makes the numbers known. If a node does not answer, it counts them again:
// either the node comes back, or it is known to be dead soon.
func (a *Audience) count(p part) {
	ctx, r := context.Background(), a.registry
	q := countQuestion{Channels: p.names, Changed: p.changed}
	pages, coverage := ask(ctx, &r.Inspection, question{Counts: &q}, a.countsHere(q))
	for i, n := range sums(pages, len(p.names)) {
		channel := p.names[i]
		if coverage.Partial && r.hub.Connections(channel) > 0 {
			a.note(channel, false)
		}
		a.publish(ctx, channel, n, i < p.changed)
	}
}

// publish makes a number known to the subscribers on this node, and to the app if the change was here.
func (a *Audience) publish(ctx context.Context, channel string, n int, here bool) {
	if n > largeRoom {
		a.mu.Lock()
		a.resting[channel] = time.Now().Add(largePause)
		a.mu.Unlock()
	}
	r := a.registry
	r.hub.Announce(channel, protocol.Subscriptions{Channel: channel, Count: n})
	if !here || r.recorder == nil {
		return
	}
	if err := r.recorder.Counted(ctx, channel, n); err != nil && !r.hub.Ended() {
		r.rules.Load().log.Warn("an event for the app could not be recorded", "error", err, "channel", channel)
	}
}

// respond answers a question of another node.
func (a *Audience) respond(q countQuestion) []int {
	for _, channel := range q.Channels[:q.changedOf(q.Channels)] {
		if a.registry.hub.Connections(channel) > 0 {
			a.note(channel, false)
		}
	}
	return a.countsHere(q)
}

// countsHere returns how many subscriptions channels have on this node.
func (a *Audience) countsHere(q countQuestion) []int {
	counts := make([]int, len(q.Channels))
	for i, channel := range q.Channels {
		counts[i] = a.registry.hub.Connections(channel)
	}
	return counts
}

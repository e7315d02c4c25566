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

// countQuestion asks a node how many subscriptions it has in each channel. The first ones have changed
// on the node that asks.
type countQuestion struct {
	Channels []string `json:"channels"`
	Changed  int      `json:"changed,omitempty"`
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
	for _, q := range a.due(time.Now()) {
		a.count(q)
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

// due takes the channels that are to be counted now, as questions.
func (a *Audience) due(now time.Time) (all []countQuestion) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for channel, until := range a.resting {
		if !now.Before(until) {
			delete(a.resting, channel)
		}
	}
	for _, here := range []bool{true, false} {
		bytes := maxCounted // begin a new question
		for channel, changed := range a.changed {
			if _, rests := a.resting[channel]; changed != here || rests {
				continue
			}
			delete(a.changed, channel)
			if bytes += len(channel) + 3; bytes > maxCounted {
				all, bytes = append(all, countQuestion{}), len(channel)
			}
			q := &all[len(all)-1]
			if q.Channels = append(q.Channels, channel); here {
				q.Changed++
			}
		}
	}
	return all
}

// count counts the channels of a question, and makes the numbers known. If a node does not answer, it
// counts them again: either the node comes back, or it is known to be dead soon.
func (a *Audience) count(q countQuestion) {
	ctx, r := context.Background(), a.registry
	pages, coverage := ask(ctx, &r.Inspection, question{Counts: &q}, a.countsHere(q))
	for i, channel := range q.Channels {
		n := 0
		for _, page := range pages {
			if i < len(page) {
				n += page[i]
			}
		}
		if coverage.Partial && r.hub.Connections(channel) > 0 {
			a.note(channel, false)
		}
		a.publish(ctx, channel, n, i < q.Changed)
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
	for _, channel := range q.Channels[:min(max(q.Changed, 0), len(q.Channels))] {
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

package redis

import (
	"encoding/binary"
	"strconv"
	"strings"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// watch takes the presence events of one room.
type watch struct {
	// Set when it is made.
	p       *Presence
	channel string

	mu               sync.Mutex // held while the sink is called
	stopped          bool
	subscribedBefore bool   // subscribed was called before
	lastKnown        bool   // last is known
	last             uint64 // number of the latest events
}

// subscribed tells the sink that it may have missed events. The first subscription has missed
// none.
func (w *watch) subscribed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.subscribedBefore {
		w.notifyMissed()
	}
	w.subscribedBefore, w.lastKnown = true, false
}

// stop ends calls of the sink for good.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
}

// notifyMissed tells the sink that events may be missing. Needs mu.
func (w *watch) notifyMissed() {
	if !w.stopped {
		w.p.sink.Missed(w.channel)
	}
}

// receive takes events. A gap in their numbers shows that others are missing.
func (w *watch) receive(payload string) {
	number, rest, _ := strings.Cut(payload, ":")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return
	}
	evs, ok := parseEvents(rest)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(evs) > 0 && !w.stopped {
		w.p.sink.Changed(w.channel, evs...)
	}
	if !ok || w.lastKnown && n != w.last+1 {
		w.notifyMissed()
	}
	w.lastKnown, w.last = true, n
}

var eventKinds = map[byte]presence.Kind{'+': presence.Entered, '~': presence.Updated, '-': presence.Left}

// parseEvents parses events. Each is a sign, the lengths of key and look, key and look.
func parseEvents(s string) (evs []presence.Event, ok bool) {
	const fixed = 1 + 4 + 4
	for len(s) > 0 {
		if len(s) < fixed {
			return evs, false
		}
		kind := eventKinds[s[0]]
		key := uint64(binary.BigEndian.Uint32([]byte(s[1:5])))
		look := uint64(binary.BigEndian.Uint32([]byte(s[5:9])))
		s = s[fixed:]
		if kind == 0 || key+look > uint64(len(s)) {
			return evs, false
		}
		m := parseLook(s[:key], s[key:key+look])
		if m == nil {
			return evs, false
		}
		evs = append(evs, presence.Event{Kind: kind, Member: m})
		s = s[key+look:]
	}
	return evs, true
}

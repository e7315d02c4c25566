package redis

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// watch takes the events of a room's presence.
type watch struct {
	// Set when it is made.
	p       *Presence
	channel string

	mu    sync.Mutex // held while the sink is called
	over  bool
	begun bool   // it was subscribed before
	known bool   // last is
	last  uint64 // number of the latest events
}

// subscribed tells that something may have been missed, but for the first time.
func (w *watch) subscribed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun {
		w.missed()
	}
	w.begun, w.known = true, false
}

// end stops calls of the sink for good.
func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

// missed needs mu.
func (w *watch) missed() {
	if !w.over {
		w.p.sink.Missed(w.channel)
	}
}

// receive takes events. Their number shows whether others are missing.
func (w *watch) receive(payload string) {
	number, rest, _ := strings.Cut(payload, ":")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return
	}
	evs, ok := parseEvents(rest)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(evs) > 0 && !w.over {
		w.p.sink.Changed(w.channel, evs...)
	}
	if !ok || w.known && n != w.last+1 {
		w.missed()
	}
	w.known, w.last = true, n
}

var kinds = map[byte]presence.Kind{'+': presence.Entered, '~': presence.Updated, '-': presence.Left}

// parseEvents reads events: each a sign, the lengths of key and look, and these.
func parseEvents(s string) (evs []presence.Event, ok bool) {
	const fixed = 1 + 4 + 4
	for len(s) > 0 {
		if len(s) < fixed {
			return evs, false
		}
		kind := kinds[s[0]]
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

// parseLook reads what a member shows; nil if it is no look.
func parseLook(key, s string) *presence.Member {
	if len(s) < 2 {
		return nil
	}
	n := int(binary.BigEndian.Uint16([]byte(s)))
	if n > len(s)-2 {
		return nil
	}
	// Copies, because s is a part of something larger.
	return &presence.Member{Key: strings.Clone(key), Status: strings.Clone(s[2 : 2+n]), Info: strings.Clone(s[2+n:])}
}

// parsePage reads the reply of list.lua, in which one member more than limit shows
// that there are more.
func parsePage(result any, limit int) (presence.Page, error) {
	reply, ok := result.([]any)
	if !ok || len(reply) != 3 {
		return presence.Page{}, unexpected(result)
	}
	count, _ := reply[0].(int64)
	page := presence.Page{Count: int(count)}
	here, left := texts(reply[1]), texts(reply[2])
	for i := 0; i+1 < len(here); i += 2 {
		if m := parseLook(here[i], here[i+1]); m != nil {
			page.Members = append(page.Members, presence.Listed{Member: m})
		}
	}
	for i := 0; i+1 < len(left); i += 2 {
		seen, look, _ := strings.Cut(left[i+1], ":")
		ms, err := strconv.ParseInt(seen, 10, 64)
		if m := parseLook(left[i], look); m != nil && err == nil {
			page.Members = append(page.Members, presence.Listed{Member: m, LastSeen: time.UnixMilli(ms)})
		}
	}
	slices.SortFunc(page.Members, func(a, b presence.Listed) int { return strings.Compare(a.Key, b.Key) })
	if page.More = len(page.Members) > limit; page.More {
		page.Members = page.Members[:limit]
	}
	return page, nil
}

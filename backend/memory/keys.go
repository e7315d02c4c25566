package memory

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

const (
	// keyBytes is what a key costs in addition to its text.
	keyBytes = 128
	// keysBytes is what a room with keys costs in addition to the keys: the struct and its
	// maps.
	keysBytes = 384
)

// keys are the idempotency keys of a room, with the results of their messages. There are
// two generations, and the older one is dropped as a whole: maps do not shrink, so dropping
// single keys would keep the memory of the busiest hour. Times count from Broker.born. A
// nil *keys is empty. The room's lock guards it.
type keys struct {
	young, old generation
}

type generation struct {
	seen   map[string]seen
	bytes  int
	first  time.Duration // when it started
	newest time.Duration // when the last key came
}

// seen is the result of a key's message. It has the parts of the position, because that
// takes less memory.
type seen struct {
	epoch          string
	offset         uint64
	anchor, digest uint32
	at             time.Duration
}

func (s seen) position() hub.Position {
	return hub.Position{Epoch: s.epoch, Offset: s.offset, Anchor: s.anchor}
}

// find returns the result of the message with a key, if the key came within the window.
func (k *keys) find(now time.Duration, key string, window time.Duration) (seen, bool) {
	if k == nil || key == "" {
		return seen{}, false
	}
	s, ok := k.young.seen[key]
	if !ok {
		s, ok = k.old.seen[key]
	}
	if !ok || now-s.at >= window {
		return seen{}, false
	}
	return s, true
}

// add remembers a key with the position and digest of its message. Each generation has half
// of the room's bounds.
func (k *keys) add(now time.Duration, key string, p hub.Position, digest uint32, o Options) {
	n := keyBytes + len(key)
	g := &k.young
	if len(g.seen) >= max(o.Keys/2, 1) || len(g.seen) > 0 && g.bytes+n > o.KeyBytes/2 || now-g.first >= o.KeyWindow {
		k.turn(now)
	}
	if g.seen == nil {
		g.seen, g.newest = make(map[string]seen), now // a restored key has a negative time
	}
	g.seen[strings.Clone(key)] = seen{p.Epoch, p.Offset, p.Anchor, digest, now}
	g.bytes += n
	g.newest = max(g.newest, now) // publishers look at the clock before they have the lock
}

// turn starts a new generation.
func (k *keys) turn(now time.Duration) {
	k.old, k.young = k.young, generation{first: now}
}

// expire drops the generations without a key inside the window. It reports whether none is
// left.
func (k *keys) expire(now, window time.Duration) (empty bool) {
	if now-k.old.newest >= window {
		k.old = generation{}
	}
	if now-k.young.newest >= window {
		k.young = generation{}
	}
	return k.old.seen == nil && k.young.seen == nil
}

// reduce cuts the keys down to a number of bytes. The oldest go first.
func (k *keys) reduce(bytes int64) {
	k.old = generation{}
	if int64(k.young.bytes) > bytes {
		k.young = k.young.newestKeys(bytes)
	}
}

// newestKeys returns a generation with the latest keys that fit into a number of bytes.
func (g generation) newestKeys(bytes int64) generation {
	keys := slices.SortedFunc(maps.Keys(g.seen), func(a, b string) int { return cmp.Compare(g.seen[b].at, g.seen[a].at) })
	kept := generation{seen: make(map[string]seen)}
	for _, key := range keys {
		n := keyBytes + len(key)
		if int64(kept.bytes+n) > bytes {
			break
		}
		kept.seen[key] = g.seen[key]
		kept.bytes += n
		kept.first = g.seen[key].at
	}
	if kept.bytes == 0 {
		return generation{}
	}
	kept.newest = g.newest
	return kept
}

func (k *keys) size() int64 {
	if k == nil {
		return 0
	}
	return int64(k.young.bytes + k.old.bytes)
}

package redis

import (
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// roomsWithoutLog are rooms without history of which the node knows that Redis has no log of
// them. A room is remembered for one or two minutes: there are two generations, and after a
// minute the older one is dropped.
type roomsWithoutLog struct {
	mu         sync.Mutex
	young, old map[string]struct{}
	rotatedAt  time.Time
}

// maxWithoutLog bounds each of the two generations.
const maxWithoutLog = 1 << 15

func (f *roomsWithoutLog) has(channel string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.rotatedAt) > time.Minute || len(f.young) >= maxWithoutLog {
		f.young, f.old, f.rotatedAt = make(map[string]struct{}), f.young, time.Now()
	}
	if _, ok := f.young[channel]; ok {
		return true
	}
	_, ok := f.old[channel]
	return ok
}

func (f *roomsWithoutLog) add(channel string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.young == nil {
		f.young = make(map[string]struct{})
	}
	f.young[channel] = struct{}{}
}

func (f *roomsWithoutLog) remove(channel string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.young, channel)
	delete(f.old, channel)
}

// localDeliveries are the messages, and their keys, that this node delivered without Redis, and
// the messages whose outcome is not known yet. Only the newest are kept.
type localDeliveries struct {
	mu      sync.Mutex
	sending map[serial]bool // on their way to Redis; true: received from Redis meanwhile
	serials map[serial]struct{}
	keys    map[roomKey]localKey
	order   []serial // of serials, oldest first
}

type roomKey struct{ channel, key string }

type localKey struct {
	digest uint32 // of the message
	until  time.Time
}

const maxLocal = 4096

// startSending notes that a message is on its way to Redis. The caller calls stopSending later.
func (a *localDeliveries) startSending(id serial) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sending == nil {
		a.sending = make(map[serial]bool)
	}
	a.sending[id] = false
}

func (a *localDeliveries) stopSending(id serial) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sending, id)
}

// claim notes that this node delivers a message. It returns false if the message already came
// back from Redis.
func (a *localDeliveries) claim(id serial) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.serials == nil {
		a.serials = make(map[serial]struct{})
	}
	if a.sending[id] {
		return false
	}
	if len(a.order) == maxLocal {
		delete(a.serials, a.order[0])
		a.order = a.order[1:]
	}
	a.serials[id] = struct{}{}
	a.order = append(a.order, id)
	return true
}

// rememberKey notes the idempotency key of a message.
func (a *localDeliveries) rememberKey(m *hub.Message, key string, window time.Duration) {
	digest := m.Digest()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys == nil {
		a.keys = make(map[roomKey]localKey)
	}
	if len(a.keys) >= maxLocal {
		a.dropKeys(time.Now())
	}
	a.keys[roomKey{m.Channel, key}] = localKey{digest, time.Now().Add(window)}
}

// dropKeys drops the keys whose time is over. If that makes no space, it drops all keys.
func (a *localDeliveries) dropKeys(now time.Time) {
	for k, said := range a.keys {
		if said.until.Before(now) {
			delete(a.keys, k)
		}
	}
	if len(a.keys) >= maxLocal {
		clear(a.keys)
	}
}

// seenKey returns the digest of the message that this node delivered with the key. ok is false
// if there is none.
func (a *localDeliveries) seenKey(channel, key string) (digest uint32, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k, ok := a.keys[roomKey{channel, key}]
	return k.digest, ok && time.Now().Before(k.until)
}

// cameBack notes that a message came back from Redis. It reports whether this node has already
// delivered it.
func (a *localDeliveries) cameBack(id serial) (delivered bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, delivered = a.serials[id]; delivered {
		return true
	}
	if _, ok := a.sending[id]; ok {
		a.sending[id] = true
	}
	return false
}

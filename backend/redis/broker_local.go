package redis

import (
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// forgotten are rooms of which is known that Redis has no log of them. They are
// known for a minute or two: all are forgotten by and by.
type roomsWithoutLog struct {
	mu         sync.Mutex
	young, old map[string]struct{}
	rotatedAt  time.Time
}

// maxForgotten bounds each of the two generations.
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

// alone are the messages, and their keys, that were delivered on this node without
// Redis, and those of which it is not known yet. The newest are enough.
type localDeliveries struct {
	mu      sync.Mutex
	sending map[serial]bool // on their way to Redis; true: came back from there
	serials map[serial]struct{}
	keys    map[roomKey]localKey
	order   []serial // of serials
}

type roomKey struct{ channel, key string }

type localKey struct {
	digest uint32 // of the message
	until  time.Time
}

const maxLocal = 4096

// begin notes that a message is on its way to Redis, until end.
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

// add notes that a message is delivered here. False: it came back from Redis.
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

// say notes the key of a message.
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

// tidy makes room: what is over goes, or else everything.
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

// said reports that a message with the key was delivered here, and its digest.
func (a *localDeliveries) seenKey(channel, key string) (digest uint32, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k, ok := a.keys[roomKey{channel, key}]
	return k.digest, ok && time.Now().Before(k.until)
}

// came notes that a message comes back from Redis, and reports that it was delivered
// here.
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

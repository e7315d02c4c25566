package redis

import (
	"context"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// publishPlain sends a message that needs no position. What Redis does not take is
// delivered on this node alone.
func (b *Broker) publishPlain(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	if first, said := b.alone.said(m.Channel, o.Key); said {
		return duplicate(m, first)
	}
	if err := b.endLog(ctx, m.Channel); err != nil && ctx.Err() != nil {
		return hub.Published{}, err
	}
	return b.relay(ctx, m, o.Key)
}

// relay publishes a message that is not to be stored.
func (b *Broker) relay(ctx context.Context, m *hub.Message, key string) (hub.Published, error) {
	id := serial{b.c.node, b.serial.Add(1)}
	b.alone.begin(id)
	defer b.alone.end(id)
	result, err := b.run(ctx, b.plainCall(m, id, key))
	first, said := result.(string)
	switch {
	case err == nil && said && key != "":
		return duplicate(m, parseDigest(first))
	case err == nil:
		m.Position = hub.Position{}
		if b.find(m.Channel) != nil && !b.c.link.live(b.c.names.topic(m.Channel)) {
			b.deliverAlone(m, id, "") // it may not come back
		}
		return hub.Published{}, nil
	case ctx.Err() != nil || b.ctx.Err() != nil:
		return hub.Published{}, err
	}
	m.Position = hub.Position{}
	b.deliverAlone(m, id, key)
	return hub.Published{Degraded: true}, nil
}

func (b *Broker) plainCall(m *hub.Message, id serial, key string) *call {
	n := b.c.names
	frame := make([]byte, 0, 64+len(m.Event)+len(m.Sender)+len(m.Content))
	if m.Direct != nil {
		frame = appendDirect(frame, m, id)
	} else {
		frame = appendMessage(appendSerial(frame, id), m)
	}
	if key == "" {
		return &call{args: []any{"publish", n.topic(m.Channel), frame}}
	}
	return &call{
		script: relayScript, keys: n.keys(m.Channel), again: true,
		args: []any{frame, n.topic(m.Channel), key, b.c.o.KeyWindow.Milliseconds(), b.c.o.RoomKeys, b.c.o.Keys, formatDigest(m.Digest())},
	}
}

// deliverAlone hands a message to the connections of this node, unless it has come back
// from Redis. Should it come back after all, the room knows it.
func (b *Broker) deliverAlone(m *hub.Message, id serial, key string) {
	if key != "" {
		b.alone.say(m, key, b.c.o.KeyWindow)
	}
	if !b.alone.add(id) {
		return
	}
	if r := b.find(m.Channel); r != nil {
		r.deliverPlain(m)
	}
}

// endLog drops the log that a room may have from a time when it had history: nobody
// may continue it over messages without position. It is asked for once in a while,
// because another node, or this one before it was restarted, may have had it.
func (b *Broker) endLog(ctx context.Context, channel string) error {
	if b.plain.has(channel) {
		return nil
	}
	n := b.c.names
	_, err := b.run(ctx, &call{
		script: endScript, again: true,
		keys: []string{n.meta(channel), n.stream(channel)},
		args: []any{history.NewEpoch(), outlasting},
	})
	if err == nil {
		b.plain.add(channel)
		if r := b.find(channel); r != nil {
			r.unplace()
		}
	}
	return err
}

// forgotten are rooms of which is known that Redis has no log of them. They are
// known for a minute or two: all are forgotten by and by.
type forgotten struct {
	mu         sync.Mutex
	young, old map[string]struct{}
	turned     time.Time
}

// maxForgotten bounds each of the two generations.
const maxForgotten = 1 << 15

func (f *forgotten) has(channel string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.turned) > time.Minute || len(f.young) >= maxForgotten {
		f.young, f.old, f.turned = make(map[string]struct{}), f.young, time.Now()
	}
	if _, ok := f.young[channel]; ok {
		return true
	}
	_, ok := f.old[channel]
	return ok
}

func (f *forgotten) add(channel string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.young == nil {
		f.young = make(map[string]struct{})
	}
	f.young[channel] = struct{}{}
}

func (f *forgotten) remove(channel string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.young, channel)
	delete(f.old, channel)
}

// alone are the messages, and their keys, that were delivered on this node without
// Redis, and those of which it is not known yet. The newest are enough.
type alone struct {
	mu      sync.Mutex
	flying  map[serial]bool // on their way to Redis; true: came back from there
	serials map[serial]struct{}
	keys    map[roomKey]aloneKey
	order   []serial // of serials
}

type roomKey struct{ channel, key string }

type aloneKey struct {
	digest uint32 // of the message
	until  time.Time
}

const maxAlone = 4096

// begin notes that a message is on its way to Redis, until end.
func (a *alone) begin(id serial) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.flying == nil {
		a.flying = make(map[serial]bool)
	}
	a.flying[id] = false
}

func (a *alone) end(id serial) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.flying, id)
}

// add notes that a message is delivered here. False: it came back from Redis.
func (a *alone) add(id serial) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.serials == nil {
		a.serials = make(map[serial]struct{})
	}
	if a.flying[id] {
		return false
	}
	if len(a.order) == maxAlone {
		delete(a.serials, a.order[0])
		a.order = a.order[1:]
	}
	a.serials[id] = struct{}{}
	a.order = append(a.order, id)
	return true
}

// say notes the key of a message.
func (a *alone) say(m *hub.Message, key string, window time.Duration) {
	digest := m.Digest()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys == nil {
		a.keys = make(map[roomKey]aloneKey)
	}
	if len(a.keys) >= maxAlone {
		a.tidy(time.Now())
	}
	a.keys[roomKey{m.Channel, key}] = aloneKey{digest, time.Now().Add(window)}
}

// tidy makes room: what is over goes, or else everything.
func (a *alone) tidy(now time.Time) {
	for k, said := range a.keys {
		if said.until.Before(now) {
			delete(a.keys, k)
		}
	}
	if len(a.keys) >= maxAlone {
		clear(a.keys)
	}
}

// said reports that a message with the key was delivered here, and its digest.
func (a *alone) said(channel, key string) (digest uint32, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k, ok := a.keys[roomKey{channel, key}]
	return k.digest, ok && time.Now().Before(k.until)
}

// came notes that a message comes back from Redis, and reports that it was delivered
// here.
func (a *alone) came(id serial) (delivered bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, delivered = a.serials[id]; delivered {
		return true
	}
	if _, ok := a.flying[id]; ok {
		a.flying[id] = true
	}
	return false
}

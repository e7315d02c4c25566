package memory

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// discard is a sink for tests that look at what is kept and not at what is sent.
type discard struct{}

func (discard) Broadcast(string, ...*hub.Message) {}

// counter is a sink that counts.
type counter map[string]int

func (c counter) Broadcast(channel string, ms ...*hub.Message) { c[channel] += len(ms) }

var hundred = hub.Retention{Size: 100}

func start(t testing.TB, o Options) *Broker {
	b := New(discard{}, o)
	t.Cleanup(func() { b.Close() })
	return b
}

// publish publishes one message with so many bytes of content.
func publish(t testing.TB, b *Broker, channel string, size int, o hub.PublishOptions) hub.Published {
	t.Helper()
	p, err := b.Publish(context.Background(), &hub.Message{Channel: channel, Content: make([]byte, size)}, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func attach(t testing.TB, b *Broker, channel string, r hub.Retention) {
	t.Helper()
	if err := b.Attach(context.Background(), channel, r); err != nil {
		t.Fatal(err)
	}
}

func page(t testing.TB, b *Broker, channel string, r hub.Retention, q hub.HistoryQuery) hub.HistoryPage {
	t.Helper()
	p, err := b.History(context.Background(), channel, r, q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lookup returns the room of a channel or nil.
func lookup(b *Broker, channel string) *room {
	s := b.shard(channel)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms[channel]
}

func rooms(b *Broker) (n int) {
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		n += len(s.rooms)
		s.mu.Unlock()
	}
	return n
}

// audit checks the books of a broker that nobody is using: what it counts is what
// it keeps, and the idle lists hold the rooms they should.
func audit(t testing.TB, b *Broker) {
	t.Helper()
	var bytes, keyed int64
	for i := range b.shards {
		s := &b.shards[i]
		idle := 0
		for _, r := range s.rooms {
			if r.pins.Load() != 0 {
				t.Errorf("room %q is pinned", r.channel)
			}
			if r.size() != r.bytes {
				t.Errorf("room %q has %d bytes and counts %d", r.channel, r.size(), r.bytes)
			}
			bytes += r.bytes
			keyed += r.keyed
			if r.keySize() != r.keyed {
				t.Errorf("room %q has %d bytes of keys and counts %d", r.channel, r.keySize(), r.keyed)
			}
			if r.attached == 0 {
				bytes += weight(r)
				idle++
			}
		}
		for r, older := s.idle.oldest, (*room)(nil); r != nil; r, older = r.prev, r {
			// Callers look at the clock before they come here, hence the second.
			if r.next != older || s.rooms[r.channel] != r || older != nil && older.used > r.used+time.Second {
				t.Errorf("room %q is wrong in the idle list", r.channel)
			}
			idle--
		}
		if idle != 0 {
			t.Errorf("the idle list lacks %d rooms", idle)
		}
	}
	if got := b.Stats(); got.Bytes != bytes || got.Keys != keyed {
		t.Errorf("the broker counts %+v and keeps %d bytes, %d of them keys", got, bytes, keyed)
	}
}

func name(i int) string { return fmt.Sprintf("room:%04d", i) }

const day = 24 * time.Hour

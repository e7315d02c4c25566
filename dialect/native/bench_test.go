package native_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/dialect/native"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// counted is a transport that takes everything at once and counts the writes. The benchmark is
// the only publisher, and rooms are small, so only its goroutine writes.
type counted struct{ writes *int }

func (c counted) Write([]byte) error { panic("the transport takes everything without a wait") }
func (c counted) Close()             {}
func (c counted) TryWrite(p []byte) (int, error) {
	*c.writes++
	return len(p), nil
}

// BenchmarkReceive is the way of one client message: from the frame in the reader to the last
// member of a room of five, the publisher among them. It shows the allocations and the writes of
// a message, with ten room blocks in front of the one that matches.
func BenchmarkReceive(b *testing.B) {
	text := `"text":"The quick brown fox jumps over the lazy dog, and then it does so once more."`
	for _, c := range []struct {
		name, channel, id string
	}{
		{"plain", "b:1", ""},
		{"plain/ack", "b:1", `"id":1,`},
		{"history", "h:1", ""},
		{"history/ack", "h:1", `"id":1,`},
	} {
		b.Run(c.name, func(b *testing.B) {
			writes := 0
			registry := open(b)
			frame := []byte(`{"type":"message",` + c.id + `"payload":{"channel":"` + c.channel + `","content":{` + text + `}}}`)
			var s *session.Session
			for range 5 {
				s = join(b, registry, counted{&writes}, c.channel)
			}
			writes = 0
			b.ReportAllocs()
			for b.Loop() {
				s.Receive(frame, false)
			}
			b.ReportMetric(float64(writes)/float64(b.N), "writes/op")
		})
	}
}

// open returns a registry on memory. Rooms b:* keep nothing, rooms h:* keep a hundred messages.
func open(b *testing.B) *session.Registry {
	b.Helper()
	h, err := hub.New(func(s hub.Sink) (hub.Broker, error) { return memory.New(s, memory.Options{}), nil })
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.Close() })
	room := func(pattern string) policy.Room {
		return policy.Room{Pattern: pattern, Subscribe: policy.Anyone, Publish: policy.Anyone}
	}
	var rooms []policy.Room
	for i := range 10 {
		rooms = append(rooms, room("other"+strconv.Itoa(i)+":*"))
	}
	kept := room("h:*")
	kept.History = hub.Retention{Size: 100, TTL: time.Hour}
	p, err := policy.Compile(append(rooms, room("b:*"), kept))
	if err != nil {
		b.Fatal(err)
	}
	registry := session.New(h)
	h.Apply(hub.Settings{Room: p.Options})
	registry.Apply(session.Config{Policy: p})
	return registry
}

func join(b *testing.B, registry *session.Registry, t hub.Transport, channel string) *session.Session {
	b.Helper()
	s, e := registry.Open(nil, session.Options{Transport: t, Encoder: native.Dialect{}.Encoder(), Dialect: native.Dialect{}})
	if e != nil {
		b.Fatal(e)
	}
	reply := func(session.Subscribed) []hub.Event { return nil }
	if e := s.Subscribe(context.Background(), protocol.Subscribe{Channel: channel}, session.SubscribeOptions{Reply: reply}); e != nil {
		b.Fatal(e)
	}
	return s
}

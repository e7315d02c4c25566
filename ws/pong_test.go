package ws

import (
	"runtime/debug"
	"slices"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/dialect/native"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/window"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// A pong that comes alone costs next to nothing: the engine that takes it is used
// again, also when the pong has a payload.
func TestPongCostsNoEngine(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("with the race detector pools throw things away now and then")
	}
	h := newHub(t, hub.Settings{})
	s := newScript(nil, nil)
	r := &reader{link: s, registry: session.New(h), dialect: native.Dialect{}}
	if !r.open(&session.Principal{}) {
		t.Fatal("no session")
	}
	t.Cleanup(s.abort)
	for name, pong := range map[string]string{
		"empty":          "\x8a\x80\x01\x02\x03\x04",
		"with a payload": "\x8a\x83\x01\x02\x03\x04abc",
	} {
		allocs := testing.AllocsPerRun(1000, func() {
			r.pings = window.Counter{}
			b := getBuffer()
			*b = append(*b, pong...)
			if !r.handle(b, nil) {
				t.Fatal("the connection has ended")
			}
		})
		if allocs >= 1 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func BenchmarkPong(b *testing.B) {
	h := newHub(b, hub.Settings{})
	r := &reader{link: newScript(nil, nil), registry: session.New(h), dialect: native.Dialect{}}
	if !r.open(&session.Principal{}) {
		b.Fatal("no session")
	}
	b.ReportAllocs()
	for b.Loop() {
		r.pings = window.Counter{}
		p := getBuffer()
		*p = append(*p, "\x8a\x80\x01\x02\x03\x04"...)
		if !r.handle(p, nil) {
			b.Fatal("the connection has ended")
		}
	}
}

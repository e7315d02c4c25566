package redis

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// garbage are replies that Redis never sends, or never sends to these commands.
var garbage = []string{
	"*0\r\n", "*-1\r\n", "*1\r\n*0\r\n", "*3\r\n$7\r\nmessage\r\n$-1\r\n:1\r\n", "*3\r\n:1\r\n:1\r\n:1\r\n",
	"*99999999999999\r\n", "$99999999999999\r\n", "%1\r\n*0\r\n+a\r\n", ">2\r\n*0\r\n*0\r\n", "*2\r\n$9\r\nsubscribe\r\n$1\r\na\r\n",
	"*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$1\r\na\r\n", "$0\r\n\r\n", ":1\r\n", "+\r\n", "\r\n",
}

// garbler spoils a share of what arrives: some bytes, the end, or all of it.
func garbler(share float64, spoiled *atomic.Int64) func([]byte) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	return func(b []byte) []byte {
		if random.Float64() >= share {
			return b
		}
		spoiled.Add(1)
		b = bytes.Clone(b)
		switch random.IntN(4) {
		case 0:
			return []byte(garbage[random.IntN(len(garbage))])
		case 1:
			return append(b[:random.IntN(len(b))], garbage[random.IntN(len(garbage))]...)
		case 2:
			b[random.IntN(len(b))] = "*$:+-\r\n0123456789x\x00"[random.IntN(19)]
		default:
			b[random.IntN(len(b))] ^= 1 << random.IntN(8)
		}
		return b
	}
}

// For some seconds 5 % of what Redis sends is spoiled. That costs connections but never the
// process, and afterwards everything goes on.
func TestDrillGarbledReplies(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		share float64
		start func(t *testing.T) (*faultproxy.Proxy, Options)
	}{
		"Single": {0.05, func(t *testing.T) (*faultproxy.Proxy, Options) {
			p := faultproxy.Start(t, startServer(t).Addr)
			return p, hastyOptions(p.Addr())
		}},
		"Sentinel": {0.5, func(t *testing.T) (*faultproxy.Proxy, Options) {
			s := startServer(t)
			p := faultproxy.Start(t, redistest.StartSentinel(t, "main", s.Server).Addr)
			o := hastyOptions("")
			o.Sentinels, o.Master = []string{p.Addr()}, "main"
			return p, o
		}}, // which receives little
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, o := test.start(t)
			heard := new(logRecorder)
			o.Logger = heard.logger()
			n, m, l := newNode(t, checker.New(checker.Options{}), "node", o), newMembers(t, o), newLibrary(t, o)
			a := newServant(t, o, 1)
			n.enter("room")
			l.replace("doc", `{"a":0}`)
			if err := m.Attach(t.Context(), "room"); err != nil {
				t.Fatal(err)
			}
			var spoiled atomic.Int64
			p.Garble(garbler(test.share, &spoiled))
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			useUntil(ctx, []func(i int){
				func(i int) { _, _ = n.Publish(ctx, message("room", i), hub.PublishOptions{Retention: kept}) },
				func(i int) { _, _ = n.Publish(ctx, message("plain", i), hub.PublishOptions{Key: string(rune(i))}) },
				func(i int) { _, _ = n.History(ctx, "room", kept, hub.HistoryQuery{Limit: 10}) },
				func(i int) { _ = m.Enter(ctx, "room", []*presence.Member{{Key: string(rune('a' + i%26))}}) },
				func(i int) { _ = m.Leave(ctx, "room", []presence.Departure{{Key: string(rune('a' + i%26))}}) },
				func(i int) { _, _ = m.List(ctx, "room", presence.Query{Limit: 10, Offline: true}) },
				func(i int) { _, _ = l.propose("doc", document.Change{Latest: true}, "a", i) },
				func(i int) { _, _ = a.Order(ctx, hub.Order{Body: []byte("x"), Name: "x"}) },
				func(i int) { a.Count(map[string]int{"ann": i % 3}) },
				func(i int) { // Sentinels send little, so they are asked now and then
					if i%100 == 0 {
						p.Reset()
					}
				},
			})
			p.Heal()
			p.Reset() // a reader may wait for the rest of a spoiled length
			if spoiled.Load() < 10 {
				t.Errorf("only %d replies were spoiled", spoiled.Load())
			}
			eventually(t, "publishing goes on", func() bool {
				_, err := n.Publish(t.Context(), message("room", 1), hub.PublishOptions{Retention: kept})
				return err == nil
			})
			eventually(t, "messages come again", func() bool { return n.brokerFor("room").c.link.isLive(n.brokerFor("room").c.names.topic("room")) })
			m.setMember("room", "zoe", true)
			if out := l.set("doc", "b", 1); out.Err != nil {
				t.Errorf("%+v", out)
			}
			if panics := heard.count("panic in"); panics > 0 {
				t.Errorf("%d panics: %s", panics, heard.said())
			}
			t.Logf("%d replies were spoiled", spoiled.Load())
		})
	}
}

func message(channel string, i int) *hub.Message {
	return &hub.Message{Channel: channel, Content: []byte(strings.Repeat("1", 1+i%500)), Position: hub.Position{Anchor: 1}}
}

// useUntil does several things at the same time, again and again, until ctx ends.
func useUntil(ctx context.Context, things []func(i int)) {
	var wg sync.WaitGroup
	for _, do := range things {
		wg.Go(func() {
			for i := 1; ctx.Err() == nil; i++ {
				do(i)
				_ = pause(ctx, time.Millisecond)
			}
		})
	}
	wg.Wait()
}

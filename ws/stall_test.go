package ws_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// gate lets nobody pass until it is open.
type gate struct {
	entered chan struct{}
	open    chan struct{}
}

func newGate() gate { return gate{make(chan struct{}, 100), make(chan struct{})} }

func (g gate) wait() {
	g.entered <- struct{}{}
	<-g.open
}

// gatedBroker keeps the publishers of one channel waiting. It may say that it does not.
type gatedBroker struct {
	loop
	gate   gate
	prompt bool
}

func (b gatedBroker) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	if m.Channel == "open:gated" {
		b.gate.wait()
	}
	return b.loop.Publish(ctx, m, o)
}

func (b gatedBroker) Prompt() bool { return b.prompt }

// gatedApp answers about no message of one channel.
type gatedApp struct{ gate gate }

func (gatedApp) Handles(channel string) bool { return channel == "open:gated" }

func (a gatedApp) HandleMessage(_ context.Context, _ session.Client, p protocol.Publish) (protocol.Publish, bool, error) {
	a.gate.wait()
	return p, false, nil
}

// TestOthersDoNotWait has clients whose commands wait for a store or for the app, more than there
// are processors. The commands of other clients are answered meanwhile, also if the store says
// that it never waits.
func TestOthersDoNotWait(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ prompt, app bool }{
		"store":             {false, false},
		"app":               {true, true},
		"store that denies": {true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGate()
			b := gatedBroker{gate: g, prompt: c.prompt}
			var config session.Config
			if c.app {
				b.gate.entered = make(chan struct{}, 100)
				config.Realms = map[string]session.Realm{"": {Messages: gatedApp{g}}}
			}
			n := newNodeOf(t, hub.Settings{}, func(s hub.Sink) (hub.Broker, error) { b.sink = s; return b, nil })
			config.Policy = n.policy
			n.client = &session.Principal{Handshake: "of this test"}
			n.registry.Apply(config)
			addr := listen(t, n)
			t.Cleanup(func() { close(g.open) })
			for i := range 20 {
				w := newClient(t, "ws://"+addr)
				say(t, w, `{"type":"message","payload":{"channel":"open:gated","content":1}}`)
				<-g.entered
				answered(t, addr, i)
			}
		})
	}
}

// answered publishes and waits for the answer.
func answered(t *testing.T, addr string, i int) {
	t.Helper()
	w := newClient(t, "ws://"+addr)
	wantType(t, w, "connected")
	say(t, w, `{"type":"message","id":"`+strconv.Itoa(i)+`","payload":{"channel":"open:free","content":1}}`)
	wantType(t, w, "ack")
}

package session

import (
	"context"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// polite is a transport that counts how often its reader was about to wait.
type polite struct {
	*wire
	yields int
}

func (p *polite) Yield() { p.yields++ }

// denies is an app that allows nothing.
type denies struct{}

func (denies) Authorize(context.Context, auth.Question) (auth.Answer, error) {
	return auth.Answer{}, nil
}

// TestYield says when the reader of a client makes way for others: before it waits, and not for a
// command that waits for nothing.
func TestYield(t *testing.T) {
	const message = `{"type":"message","payload":{"channel":"a","content":1}}`
	for name, c := range map[string]struct {
		config func(*Config)
		do     func(*client)
		want   bool
	}{
		"message": {do: func(c *client) { c.say(message) }},
		"ping":    {do: func(c *client) { c.say(ping1) }},
		"subscribe": {do: func(c *client) {
			c.say(`{"type":"subscribe","payload":{"channel":"a"}}`)
		}},
		"pause": {want: true, do: func(c *client) { c.Pause(time.Millisecond) }},
		"app": {
			want:   true,
			config: func(c *Config) { c.Realms = map[string]Realm{"": {Authorize: denies{}, Ask: auth.Publish}} },
			do:     func(c *client) { c.say(message) },
		},
		"document": {want: true, do: func(c *client) {
			_, _ = c.Change(canceled(), protocol.Change{Channel: "a"}, nil)
		}},
		"token": {
			want: true,
			config: func(c *Config) {
				c.Realms = map[string]Realm{"": {Tokens: verifier(t, auth.Config{Keys: auth.Keys{Secrets: [][]byte{secret}}})}}
			},
			do: func(c *client) { _, _ = c.identify(canceled(), c.who(), "x") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Limits{}, open("a"), func(t *testing.T, w *world) {
				if c.config != nil {
					c.config(&w.config)
					w.apply(w.config)
				}
				p := new(polite)
				client, e := w.dial(&Principal{Subject: policy.Subject{User: "ann"}, Handshake: "x"}, func(o *Options) {
					p.wire = o.Transport.(*wire)
					o.Transport = p
				})
				if e != nil {
					t.Fatal(e)
				}
				c.do(client)
				if yielded := p.yields > 0; yielded != c.want {
					t.Errorf("yielded: %v", yielded)
				}
			})
		})
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

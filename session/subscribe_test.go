package session

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// fill publishes 1, 2 … n into a channel and gives the position after the first.
func (w *world) fill(channel string, n int) (first hub.Position) {
	w.t.Helper()
	for i := 1; i <= n; i++ {
		m := &hub.Message{Channel: channel, Content: fmt.Append(nil, i)}
		done, err := w.hub.Publish(w.t.Context(), m, "")
		if err != nil {
			w.t.Fatal(err)
		}
		if i == 1 {
			first = done.Position
		}
	}
	return first
}

// subscribe subscribes with the reply of the native dialect.
func (c *client) subscribe(q protocol.Subscribe) *protocol.Error {
	return c.Subscribe(c.t.Context(), q, SubscribeOptions{Reply: func(sub Subscribed) []hub.Event {
		return []hub.Event{protocol.SubscribedReply{
			Channel: sub.Channel, Position: sub.Position, Recover: q.Recover != nil,
			Recovered: sub.Recovered, Messages: sub.Messages, Document: sub.Document,
		}}
	}})
}

func TestReplay(t *testing.T) {
	const (
		m2 = `{"offset":2,"content":2}`
		m3 = `{"offset":3,"content":3}`
	)
	lost := &hub.Position{Epoch: "other", Offset: 1}
	tests := map[string]struct {
		q    func(first hub.Position) protocol.Subscribe
		want string
	}{
		"recovered": {
			func(p hub.Position) protocol.Subscribe { return protocol.Subscribe{Recover: &p} },
			`{"type":"subscribed","payload":{"channel":"h","offset":3,"recovered":true,"messages":[` + m2 + `,` + m3 + `]}}`,
		},
		"nothing missed": {
			func(p hub.Position) protocol.Subscribe {
				return protocol.Subscribe{Recover: &hub.Position{Epoch: p.Epoch, Offset: 3}}
			},
			`{"type":"subscribed","payload":{"channel":"h","offset":3,"recovered":true}}`,
		},
		"lost": {
			func(hub.Position) protocol.Subscribe { return protocol.Subscribe{Recover: lost} },
			`{"type":"subscribed","payload":{"channel":"h","offset":3,"recovered":false}}`,
		},
		"history": {
			func(hub.Position) protocol.Subscribe { return protocol.Subscribe{History: 2} },
			`{"type":"subscribed","payload":{"channel":"h","offset":3,"messages":[` + m2 + `,` + m3 + `]}}`,
		},
		"neither": {
			func(hub.Position) protocol.Subscribe { return protocol.Subscribe{} },
			`{"type":"subscribed","payload":{"channel":"h","offset":3}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Limits{}, append(open("plain"), kept("h", 10)), func(t *testing.T, w *world) {
				q := test.q(w.fill("h", 3))
				q.Channel = "h"
				c := w.connect("")
				if e := c.subscribe(q); e != nil {
					t.Fatal(e)
				}
				c.hears(test.want)
			})
		})
	}
}

func TestSubscribeTwice(t *testing.T) {
	inBubble(t, Limits{Channels: 1}, open("a", "b"), func(t *testing.T, w *world) {
		c := w.connect("")
		c.say(subscribeTo("a"), subscribeTo("a"), subscribeTo("b"))
		c.hears(`{"type":"subscribed","id":1,"payload":{"channel":"a"}}`,
			failure("1", protocol.AlreadySubscribed), failure("1", protocol.LimitExceeded))
		c.say(`{"type":"unsubscribe","payload":{"channel":"a"}}`, subscribeTo("b"))
		c.hears(`{"type":"unsubscribed","payload":{"channel":"a"}}`, `{"type":"subscribed","id":1,"payload":{"channel":"b"}}`)
	})
}

func TestSubscribeDoesNotSendItsError(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		c := w.connect("")
		if e := c.subscribe(protocol.Subscribe{Channel: "a"}); codeOf(e) != protocol.Forbidden {
			t.Errorf("%v", e)
		}
		c.hears()
	})
}

func TestHistoryPages(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("h", 10)}, func(t *testing.T, w *world) {
		first := w.fill("h", 4)
		c := w.connect("")
		since, err := json.Marshal(map[string]any{"epoch": first.Epoch, "offset": 1})
		if err != nil {
			t.Fatal(err)
		}
		c.say(
			`{"type":"history","payload":{"channel":"h","limit":1}}`,
			`{"type":"history","payload":{"channel":"h","limit":2,"since":`+string(since)+`}}`,
			`{"type":"history","payload":{"channel":"h","limit":0}}`,
		)
		c.hears(
			`{"type":"history","payload":{"channel":"h","offset":4,"messages":[{"offset":4,"content":4}]}}`,
			`{"type":"history","payload":{"channel":"h","offset":4,"more":true,"messages":[{"offset":2,"content":2},{"offset":3,"content":3}]}}`,
			`{"type":"history","payload":{"channel":"h","offset":4,"messages":[]}}`,
		)
	})
}

func TestFitting(t *testing.T) {
	t.Parallel()
	page := func(n int) hub.HistoryPage {
		var p hub.HistoryPage
		for i := range n {
			m := &hub.Message{Content: make([]byte, 100), Position: hub.Position{Epoch: "e", Offset: uint64(i + 1)}}
			p.Messages = append(p.Messages, m)
		}
		return p
	}
	for _, test := range []struct {
		n           int
		since       bool
		bytes       int
		first, last uint64 // 0: none
		more        bool
	}{
		{0, true, 0, 0, 0, false},
		{3, true, 300, 1, 3, false},
		{3, true, 299, 1, 2, true},
		{3, true, 10, 1, 1, true},
		{3, false, 300, 1, 3, false},
		{3, false, 299, 2, 3, false},
		{3, false, 10, 3, 3, false},
	} {
		got := fitting(page(test.n), test.since, test.bytes)
		var first, last uint64
		if n := len(got.Messages); n > 0 {
			first, last = got.Messages[0].Position.Offset, got.Messages[n-1].Position.Offset
		}
		if first != test.first || last != test.last || got.More != test.more {
			t.Errorf("%+v: messages %d to %d, more %v", test, first, last, got.More)
		}
	}
}

// A page that does not fit into the queue must not end the connection as slow.
func TestLargeHistoryDoesNotOverrun(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("h", 100)}, func(t *testing.T, w *world) {
		for range 40 {
			m := &hub.Message{Channel: "h", Content: []byte(`"` + strings.Repeat("x", 40<<10) + `"`)}
			if _, err := w.hub.Publish(t.Context(), m, ""); err != nil {
				t.Fatal(err)
			}
		}
		c := w.connect("")
		c.say(`{"type":"history","payload":{"channel":"h"}}`)
		synctest.Wait()
		if got := c.wire.take(); len(got) != 1 || len(got[0]) > 1<<20 || len(c.reasons) != 0 {
			t.Errorf("%d frames, ended with %v", len(got), c.reasons)
		}
		// An HTTP client that does not read holds its answer in memory as well.
		for caller, want := range map[*Caller]int{{}: 12, {Principal: named("ann")}: 12, {App: true}: 40} {
			page, e := w.registry.Publishing.History(t.Context(), *caller, protocol.History{Channel: "h", Limit: 100})
			if e != nil || len(page.Messages) != want || page.Messages[want-1].Position.Offset != 40 {
				t.Errorf("%+v gets %d messages, %v", caller, len(page.Messages), e)
			}
		}
	})
}

// Who may listen but not read what was said before can subscribe without it.
func TestHistoryPermission(t *testing.T) {
	room := kept("room", 10)
	room.HistoryAccess = policy.Users
	inBubble(t, Limits{}, []policy.Room{room}, func(t *testing.T, w *world) {
		c := w.connect("")
		c.say(`{"type":"subscribe","id":1,"payload":{"channel":"room","history":5}}`,
			`{"type":"history","id":2,"payload":{"channel":"room"}}`)
		c.hears(failure(`1`, protocol.Unauthorized), failure(`2`, protocol.Unauthorized))
		c.say(`{"type":"subscribe","id":3,"payload":{"channel":"room"}}`)
		c.hears(`{"type":"subscribed","id":3,"payload":{"channel":"room","offset":0}}`)
	})
}

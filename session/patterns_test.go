package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func spanned(pattern string, access policy.Access) policy.Room {
	room := kept(pattern, 10)
	room.PatternAccess = access
	return room
}

func subscribePattern(pattern string) string {
	return `{"type":"subscribe","id":1,"payload":{"pattern":"` + pattern + `"}}`
}

func (w *world) say(channel, content string) {
	w.t.Helper()
	m := protocol.Publish{Channel: channel, Content: []byte(content)}
	if _, e := w.registry.Publishing.Publish(w.t.Context(), Caller{App: true}, m); e != nil {
		w.t.Fatal(e)
	}
	synctest.Wait()
}

func TestSubscribePattern(t *testing.T) {
	rooms := []policy.Room{spanned("orders:*", policy.Users), kept("news", 10)}
	inBubble(t, Limits{Channels: 2}, rooms, func(t *testing.T, w *world) {
		c := w.connect("ann")
		c.say(subscribePattern("orders:*"))
		c.hears(`{"type":"subscribed","id":1,"payload":{"pattern":"orders:*"}}`)
		w.say("orders:1", `1`)
		w.say("news", `2`)
		w.say("orders:2:x", `3`)
		c.hears(
			`{"type":"message","payload":{"channel":"orders:1","content":1}}`,
			`{"type":"message","payload":{"channel":"orders:2:x","content":3}}`)
		for _, q := range []struct{ frame, code string }{
			{subscribePattern("orders:*"), "ALREADY_SUBSCRIBED"},
			{subscribePattern("*"), "FORBIDDEN"},
			{subscribePattern("orders:1"), "INVALID_CHANNEL"},
			{subscribePattern("orders:{user}:*"), "INVALID_CHANNEL"},
			{`{"type":"subscribe","id":1,"payload":{"pattern":"orders:*","channel":"news"}}`, "INVALID_MESSAGE"},
			{`{"type":"subscribe","id":1,"payload":{"pattern":"orders:*","history":1}}`, "INVALID_MESSAGE"},
			{`{"type":"subscribe","id":1,"payload":{"channel":"orders:*"}}`, "INVALID_CHANNEL"},
			{`{"type":"unsubscribe","id":1,"payload":{"pattern":"orders:a:*"}}`, "NOT_SUBSCRIBED"},
		} {
			c.say(q.frame)
			synctest.Wait()
			if got := strings.Join(c.wire.take(), ""); !strings.Contains(got, `"`+q.code+`"`) {
				t.Errorf("%s: %s", q.frame, got)
			}
		}
		c.say(subscribeTo("news"))
		synctest.Wait()
		c.wire.take()
		c.say(subscribePattern("orders:a:*"))
		synctest.Wait()
		if got := strings.Join(c.wire.take(), ""); !strings.Contains(got, "LIMIT_EXCEEDED") {
			t.Errorf("a third subscription: %s", got)
		}
		w.hub.FeedLost("orders:*")
		c.hears(`{"type":"gap","payload":{"pattern":"orders:*"}}`)
		c.say(`{"type":"unsubscribe","id":2,"payload":{"pattern":"orders:*"}}`)
		c.hears(`{"type":"unsubscribed","id":2,"payload":{"pattern":"orders:*"}}`)
		w.say("orders:1", `4`)
		c.hears()

		anon := w.connect("")
		anon.say(subscribePattern("orders:*"))
		synctest.Wait()
		if got := strings.Join(anon.wire.take(), ""); !strings.Contains(got, "UNAUTHORIZED") {
			t.Errorf("an anonymous client: %s", got)
		}
	})
}

// A reload ends a pattern that is not allowed any more, or that belongs to another block now.
func TestApplyRechecksPatterns(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{spanned("orders:*", policy.Users)}, func(t *testing.T, w *world) {
		ended := func(c *client, pattern, code string) {
			t.Helper()
			synctest.Wait()
			c.hears(`{"type":"unsubscribed","payload":{"pattern":"` + pattern + `","code":"` + code + `"}}`)
		}
		c := w.connect("ann")
		c.say(subscribePattern("orders:*"), subscribePattern("orders:eu:*"))
		synctest.Wait()
		c.wire.take()
		w.rules(spanned("orders:*", policy.Anyone))
		c.hears()
		w.rules(kept("orders:vip", 10), spanned("orders:*", policy.Users))
		ended(c, "orders:*", "FORBIDDEN")
		w.rules(spanned("orders:eu:*", policy.Users), spanned("orders:*", policy.Users))
		ended(c, "orders:eu:*", "UNAVAILABLE")
		c.say(subscribePattern("orders:eu:*"))
		synctest.Wait()
		c.wire.take()
		w.rules(kept("orders:*", 10))
		ended(c, "orders:eu:*", "FORBIDDEN")
		w.say("orders:eu:1", `1`)
		c.hears()
	})
}

// A pattern whose messages can not be had is not subscribed to, and leaves nothing behind. One that is keeps its
// filter over a reload.
func TestSubscribePatternThatFails(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{spanned("a:*", policy.Anyone)}, func(t *testing.T, w *world) {
		c, text := w.connect("ann"), `content > 1.0`
		subscribe := func() protocol.Code {
			return codeOf(c.Subscribe(t.Context(), protocol.Subscribe{Channel: "a:*", Filter: &text}, SubscribeOptions{}))
		}
		w.broker.set(func() { w.broker.fail = errors.New("out of order") })
		if got := subscribe(); got != protocol.Internal || len(c.places) != 0 || len(c.Conn().Channels()) != 0 {
			t.Errorf("%q, %d places, in %v", got, len(c.places), c.Conn().Channels())
		}
		w.broker.set(func() { w.broker.fail = nil })
		if got := subscribe(); got != "" {
			t.Fatal(got)
		}
		w.rules(spanned("a:*", policy.Users))
		w.say("a:1", `1`)
		w.say("a:1", `2`)
		if got := contents(c); !slices.Equal(got, []string{"2"}) {
			t.Errorf("after a reload: %v", got)
		}
	})
}

// The filter of the block and the client's own hold for each message of a pattern.
func TestPatternFilters(t *testing.T) {
	room := spanned("a:*", policy.Anyone)
	room.Filter = mustCompile(t, `tags.team == user`)
	inBubble(t, Limits{}, []policy.Room{room}, func(t *testing.T, w *world) {
		c, text := w.connect("ann"), `content > 1.0`
		if e := c.Subscribe(t.Context(), protocol.Subscribe{Channel: "a:*", Filter: &text}, SubscribeOptions{}); e != nil {
			t.Fatal(e)
		}
		pour := func() []string {
			for _, m := range []protocol.Publish{
				{Channel: "a:1", Content: []byte(`1`), Tags: []byte(`{"team":"ann"}`)},
				{Channel: "a:1", Content: []byte(`2`), Tags: []byte(`{"team":"ann"}`)},
				{Channel: "a:2", Content: []byte(`3`), Tags: []byte(`{"team":"ben"}`)},
				{Channel: "a:2", Content: []byte(`4`), Tags: []byte(`{"team":"ann"}`)},
			} {
				if _, e := w.registry.Publishing.Publish(t.Context(), Caller{App: true}, m); e != nil {
					t.Fatal(e)
				}
			}
			synctest.Wait()
			return contents(c)
		}
		if got := pour(); !slices.Equal(got, []string{"2", "4"}) {
			t.Errorf("got %v", got)
		}
		none := ""
		var replaced bool
		e := c.Subscribe(t.Context(), protocol.Subscribe{Channel: "a:*", Filter: &none}, SubscribeOptions{Reply: func(s Subscribed) []hub.Event {
			replaced = s.Replaced
			return nil
		}})
		if e != nil || !replaced {
			t.Fatal(e, replaced)
		}
		if got := pour(); !slices.Equal(got, []string{"1", "2", "4"}) {
			t.Errorf("without a filter of its own: %v", got)
		}
	})
}

func (f *faults) AttachFeed(ctx context.Context, feed string) error {
	if fail, _, _, _ := f.state(); fail != nil {
		return fail
	}
	f.feeds.Add(1)
	return f.Broker.(hub.FeedBroker).AttachFeed(ctx, feed)
}

func (f *faults) DetachFeed(feed string) {
	f.feeds.Add(-1)
	f.Broker.(hub.FeedBroker).DetachFeed(feed)
}

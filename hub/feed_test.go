package hub

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// fed is a store that delivers feeds.
type fed struct {
	*store
	h        *Hub
	attached atomic.Int64
}

func (f *fed) AttachFeed(context.Context, string) error { f.attached.Add(1); return nil }
func (f *fed) DetachFeed(string)                        { f.attached.Add(-1) }
func (f *fed) Publish(ctx context.Context, m *Message, o PublishOptions) (Published, error) {
	p, err := f.store.Publish(ctx, m, o)
	if o.Feed != "" {
		f.h.Feed(o.Feed, m)
	}
	return p, err
}

func newFedHub(t *testing.T, set Settings) (*Hub, *fed) {
	set.Room = func(channel string) RoomOptions {
		o := RoomOptions{}
		if strings.HasPrefix(channel, "o:") {
			o.Feed = "o:*"
		}
		if strings.HasSuffix(channel, "h") {
			o.Retention.Size = 100
		}
		return o
	}
	h, b := newTestHub(t, set)
	f := &fed{store: b, h: h}
	h.broker = f
	return h, f
}

func pattern(prefix string) *Pattern {
	return &Pattern{Text: prefix + "*", Feed: "o:*", Match: func(channel string) bool { return strings.HasPrefix(channel, prefix) }}
}

func subscribePattern(t *testing.T, h *Hub, c *Conn, prefix string, o SubscribeOptions) {
	t.Helper()
	if sub, err := h.SubscribePattern(t.Context(), c, pattern(prefix), o); err != nil || sub.Channel != prefix+"*" {
		t.Fatal(sub, err)
	}
}

func TestPattern(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, f := newFedHub(t, Settings{})
		all, some, both := newWire(), newWire(), newWire()
		a, s, b := connect(t, h, all), connect(t, h, some), connect(t, h, both)
		reply := SubscribeOptions{Reply: func(Subscribed) []Event { return []Event{"subscribed"} }}
		subscribePattern(t, h, a, "o:", reply)
		subscribePattern(t, h, s, "o:1", SubscribeOptions{})
		subscribePattern(t, h, b, "o:", SubscribeOptions{})
		subscribe(t, h, b, "o:1h", SubscribeOptions{})
		if _, err := h.SubscribePattern(t.Context(), a, pattern("o:"), reply); err != ErrSubscribed {
			t.Errorf("twice: %v", err)
		}
		publish(t, h, "o:1h", "a", "b")
		publish(t, h, "o:2", "c")
		publish(t, h, "other", "d")
		if _, err := h.Publish(t.Context(), &Message{Channel: "o:1", Content: []byte("x"), Direct: &Direct{To: Address{Connection: a.ID()}}}, ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		expect(t, all, "subscribed", "o:1h@0 a", "o:1h@0 b", "o:2@0 c")
		expect(t, some, "o:1h@0 a", "o:1h@0 b")
		if got := both.lines(); len(got) != 5 {
			t.Errorf("a channel and a pattern: %q", got)
		}
		h.FeedLost("o:*")
		publish(t, h, "o:2", "e")
		synctest.Wait()
		expect(t, all, "subscribed", "o:1h@0 a", "o:1h@0 b", "o:2@0 c", "gap o:*@0", "o:2@0 e")
		expect(t, some, "o:1h@0 a", "o:1h@0 b", "gap o:1*@0")
		if rooms, _ := h.Rooms("", "", 10); len(rooms) != 1 || h.FeedOf(a, "o:*") != "o:*" || h.FeedOf(a, "o:1*") != "" {
			t.Errorf("rooms %v", rooms)
		}
		if !h.Unsubscribe(a, "o:*", "left") || h.Unsubscribe(a, "o:*") {
			t.Error("left twice")
		}
		publish(t, h, "o:2", "f")
		s.Close(ReasonNormal)
		b.Close(ReasonNormal)
		synctest.Wait()
		expect(t, all, "subscribed", "o:1h@0 a", "o:1h@0 b", "o:2@0 c", "gap o:*@0", "o:2@0 e", "left")
		if f.attached.Load() != 0 || len(h.feeds.byName) != 0 {
			t.Errorf("after the end: %d, %v", f.attached.Load(), h.feeds.byName)
		}
	})
}

// A slow client of a pattern loses the oldest messages and learns of it.
func TestPatternOfSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newFedHub(t, Settings{QueueMessages: 2})
		w := newWire()
		c := connect(t, h, w)
		subscribePattern(t, h, c, "o:", SubscribeOptions{})
		w.stick(true)
		publish(t, h, "o:1h", "stuck")
		synctest.Wait()
		for _, content := range []string{"a", "b", "c", "d"} {
			publish(t, h, "o:1h", content)
			synctest.Wait()
		}
		w.stick(false)
		synctest.Wait()
		expect(t, w, "o:1h@0 stuck", "gap o:*@0", "o:1h@0 c", "o:1h@0 d")
	})
}

type only string

func (o only) Passes(m *Message, _ *any) bool { return string(m.Content) == string(o) }

func TestPatternWithSelector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newFedHub(t, Settings{})
		w := newWire()
		c := connect(t, h, w)
		subscribePattern(t, h, c, "o:", SubscribeOptions{Selector: only("a")})
		publish(t, h, "o:1h", "a", "b")
		synctest.Wait()
		h.Select(c, "o:*", only("b"), "selected")
		publish(t, h, "o:1h", "a", "b")
		synctest.Wait()
		expect(t, w, "o:1h@0 a", "selected", "o:1h@0 b")
	})
}

// A broker without feeds has no patterns.
func TestPatternWithoutFeeds(t *testing.T) {
	h, _ := newTestHub(t, Settings{})
	c := connect(t, h, newWire())
	if _, err := h.SubscribePattern(t.Context(), c, pattern("o:"), SubscribeOptions{}); err != ErrUnavailable {
		t.Error(err)
	}
}

// Of two patterns of one feed, one ends and the other goes on.
func TestPatternBesideAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, f := newFedHub(t, Settings{})
		w := newWire()
		leaves, stays := connect(t, h, newWire()), connect(t, h, w)
		subscribePattern(t, h, leaves, "o:", SubscribeOptions{})
		subscribePattern(t, h, stays, "o:a", SubscribeOptions{})
		h.Unsubscribe(leaves, "o:*")
		publish(t, h, "o:a", "1")
		synctest.Wait()
		if got := w.text(); got != "o:a@0 1\n" || f.attached.Load() != 1 {
			t.Errorf("got %q, %d attached", got, f.attached.Load())
		}
		h.Unsubscribe(stays, "o:a*")
		synctest.Wait()
		if f.attached.Load() != 0 {
			t.Error("the feed stays attached")
		}
	})
}

package hub

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// What a node says of its rooms and connections.
func TestFiguresOfRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := newWire()
		a, b := connect(t, h, w), connect(t, h, newWire())
		changed := new(occupied)
		h.WatchChanges(changed.note)
		subscribe(t, h, a, "x", SubscribeOptions{})
		subscribe(t, h, b, "x", SubscribeOptions{})
		subscribe(t, h, b, "y", SubscribeOptions{})
		if rooms, subscriptions := h.Census(); rooms != 2 || subscriptions != 3 {
			t.Errorf("the census has %d rooms and %d subscriptions", rooms, subscriptions)
		}
		if !a.In("x") || a.In("y") || h.Connections("x") != 2 || h.Connections("y") != 1 || h.Connections("z") != 0 {
			t.Errorf("a is in x: %t, in y: %t; %d, %d and %d connections", a.In("x"), a.In("y"), h.Connections("x"), h.Connections("y"), h.Connections("z"))
		}
		h.Unsubscribe(b, "x")
		if rooms, subscriptions := h.Census(); rooms != 2 || subscriptions != 2 {
			t.Errorf("the census has %d rooms and %d subscriptions after one left", rooms, subscriptions)
		}
		if want := []string{"x", "x", "y", "x"}; !slices.Equal(changed.all, want) {
			t.Errorf("changes of %q, want %q", changed.all, want)
		}
		h.WatchChanges(nil)
		h.Unsubscribe(b, "y")
		if len(changed.all) != 4 {
			t.Errorf("changes after the end: %q", changed.all)
		}

		if events, bytes := a.Queue(); events != 0 || bytes != 0 {
			t.Errorf("%d events, %d bytes before anything was sent", events, bytes)
		}
		w.stick(true)
		publish(t, h, "x", "0")
		synctest.Wait() // this one is being written
		publish(t, h, "x", "1", "2")
		if events, bytes := a.Queue(); events != 2 || bytes <= 0 {
			t.Errorf("%d events, %d bytes wait behind the one that is being written", events, bytes)
		}
		w.stick(false)
		synctest.Wait()
		if events, bytes := a.Queue(); events != 0 || bytes != 0 {
			t.Errorf("%d events, %d bytes after all was written", events, bytes)
		}
	})
}

// cleaner is a broker that can remove messages.
type cleaner struct {
	*store
	fail error
	at   Position
}

func (c *cleaner) Purge(_ context.Context, channel string, _ Retention) (int, error) {
	return len(c.log[channel]), c.fail
}

func (c *cleaner) Redact(_ context.Context, _ string, _ Retention, at Position) (bool, error) {
	c.at = at
	return at.Offset == 1, c.fail
}

// Only a room with history has messages to remove, and only if its broker can remove them.
func TestRemoveMessages(t *testing.T) {
	plain, _ := newTestHub(t, Settings{})
	able, b := newTestHub(t, Settings{})
	c := &cleaner{store: b}
	able.broker = c
	publish(t, able, "h", "1", "2")
	at := Position{Epoch: "e", Offset: 1}
	for name, test := range map[string]struct {
		h       *Hub
		channel string
		fail    error
		err     error
		removed int
		found   bool
	}{
		"history":            {able, "h", nil, nil, 2, true},
		"no history":         {able, "n", nil, nil, 0, false},
		"broker fails":       {able, "h", ErrUnavailable, ErrUnavailable, 0, true},
		"not able":           {plain, "h", nil, ErrUnsupported, 0, false},
		"nothing to be able": {plain, "n", nil, nil, 0, false},
	} {
		c.fail = test.fail
		removed, top, err := test.h.Purge(t.Context(), test.channel)
		if removed != test.removed || !errors.Is(err, test.err) || (top.Offset == 2) != (test.removed > 0) {
			t.Errorf("%s: %d removed, now at %+v, %v", name, removed, top, err)
		}
		found, err := test.h.Redact(t.Context(), test.channel, at)
		if found != test.found || !errors.Is(err, test.err) {
			t.Errorf("%s: found %t, %v", name, found, err)
		}
	}
	if c.at != at {
		t.Errorf("the broker was asked for %+v", c.at)
	}
}

func TestRedacted(t *testing.T) {
	m := &Message{Channel: "a", Content: []byte(`"secret"`), Event: "e", Tags: []byte(`{"k":"secret"}`), Time: time.Unix(7, 0), Position: Position{Epoch: "e", Offset: 3}}
	r := m.Redacted()
	if string(r.Content) != "null" || r.Channel != "a" || r.Event != "e" || !r.Time.Equal(m.Time) || r.Position != m.Position {
		t.Errorf("%+v", r)
	}
	for name, test := range map[string]struct {
		m    *Message
		want bool
	}{
		"redacted":             {r, true},
		"whole":                {m, false},
		"null is its content":  {&Message{Content: []byte("null")}, false},
		"only the tags say so": {&Message{Content: []byte("1"), Tags: r.Tags}, false},
	} {
		if test.m.IsRedacted() != test.want {
			t.Errorf("%s: redacted %t", name, !test.want)
		}
	}
}

// The digest of a message is the same on nodes of all versions, and differs with what a repeat must repeat.
func TestDigest(t *testing.T) {
	m := Message{Channel: "a", Content: []byte("1"), Event: "e"}
	if got := m.Digest(); got != 0xa664d9a6 {
		t.Errorf("the digest is %#x", got)
	}
	to := func(a Address) *Direct { return &Direct{To: a} }
	seen := map[uint32]string{}
	for name, other := range map[string]Message{
		"the message": m,
		"content":     {Content: []byte("2"), Event: "e"},
		"event":       {Content: []byte("1"), Event: "f"},
		"tags":        {Content: []byte("1"), Event: "e", Tags: []byte(`{"a":1}`)},
		"user":        {Content: []byte("1"), Event: "e", Direct: to(Address{User: "u"})},
		"connection":  {Content: []byte("1"), Event: "e", Direct: to(Address{Connection: "u"})},
	} {
		d := other.Digest()
		if before, ok := seen[d]; ok || d == 0 {
			t.Errorf("%s and %s have the digest %#x", name, before, d)
		}
		seen[d] = name
		if got := (&Message{First: 5, Content: other.Content}).Digest(); got != 5 {
			t.Errorf("a digest that is known is computed again: %#x", got)
		}
	}
	for first, want := range map[uint32]error{0: nil, m.Digest(): nil, m.Digest() + 1: ErrKeyReused} {
		if err := m.Repeat(first); !errors.Is(err, want) {
			t.Errorf("a message behind one with %#x: %v", first, err)
		}
	}
}

func TestDirectKey(t *testing.T) {
	for key, want := range map[string]string{"": "", "k": "dk"} {
		if got := directKey(key); got != want {
			t.Errorf("%q becomes %q", key, got)
		}
	}
}

func TestInterestOfNoSubscription(t *testing.T) {
	h, _ := newTestHub(t, Settings{})
	c := connect(t, h, newWire())
	h.Interest(c, "a", 1) // nothing to change
	subscribe(t, h, c, "a", SubscribeOptions{})
	h.Interest(c, "a", 3)
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := c.subscription("a").interests; got != 3 {
		t.Errorf("the interests are %d", got)
	}
}

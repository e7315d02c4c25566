package memory

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Anybody may subscribe to names that nobody publishes to: nothing is left of them.
func TestUnpublishedRoomsLeaveNothing(t *testing.T) {
	t.Parallel()
	b := start(t, Options{HistoryBytes: 64 * kib})
	kept := publish(t, b, "kept", kib, hub.PublishOptions{Retention: hundred}).Position
	before := b.Stats()
	for i := range 1000 {
		attach(t, b, name(i), hundred)
		page(t, b, name(i), hundred, hub.HistoryQuery{})
		b.Detach(name(i))
		page(t, b, name(i), hundred, hub.HistoryQuery{})
	}
	if after := b.Stats(); after != before || rooms(b) != 1 {
		t.Errorf("%+v in %d rooms, before it was %+v in one", after, rooms(b), before)
	}
	if p := page(t, b, "kept", hundred, hub.HistoryQuery{Limit: 1}); p.Top != kept || len(p.Messages) != 1 {
		t.Errorf("what was kept is %+v", p)
	}
	audit(t, b)
}

// A position from before the first message is good as long as no message came that is
// not in the log any more.
func TestPositionBeforeAForgottenLog(t *testing.T) {
	t.Parallel()
	forget := map[string]func(*Broker){
		"evicted": func(b *Broker) { b.Resize(1); b.Resize(0) },
		"ended":   func(b *Broker) { publish(t, b, "a", 1, hub.PublishOptions{}) },
	}
	for what, forget := range forget {
		b := start(t, Options{})
		o := hub.PublishOptions{Retention: hundred}
		before := page(t, b, "a", hundred, hub.HistoryQuery{}).Top
		first := publish(t, b, "a", 1, o).Position
		forget(b)
		if p := page(t, b, "a", hundred, hub.HistoryQuery{Since: &before, Limit: 9}); !p.Lost {
			t.Errorf("%s: a message is missing, and an empty room does not say so", what)
		}
		again := publish(t, b, "a", 1, o).Position
		if p := page(t, b, "a", hundred, hub.HistoryQuery{Since: &before, Limit: 9}); !p.Lost {
			t.Errorf("%s: a message is missing, and the page does not say so", what)
		}
		if first.Epoch != before.Epoch || again.Epoch == first.Epoch || again.Offset != 1 {
			t.Errorf("%s: from %+v to %+v, then %+v", what, before, first, again)
		}
		audit(t, b)
	}
}

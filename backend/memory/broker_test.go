package memory

import (
	"context"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func TestEphemeralRoomsLeaveNothing(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	publish(t, b, "a", 1, hub.PublishOptions{})
	page(t, b, "a", hundred, hub.HistoryQuery{Limit: 1})
	if rooms(b) != 0 {
		t.Errorf("%d rooms without anybody in them", rooms(b))
	}
	attach(t, b, "a", hub.Retention{})
	publish(t, b, "a", 1, hub.PublishOptions{})
	if got := b.Stats().Bytes; got != 0 {
		t.Errorf("%d bytes", got)
	}
	b.Detach("a")
	if rooms(b) != 0 {
		t.Errorf("%d rooms after the last one left", rooms(b))
	}
	audit(t, b)
}

func TestAttachmentsAreCounted(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	for _, steps := range [][]int{{1, -1}, {-1, 1}, {-1, -1, 1, 1}, {1, -1, -1, 1}, {1, 1, -1, -1}} {
		for _, n := range steps {
			if n > 0 {
				attach(t, b, "a", hundred)
			} else {
				b.Detach("a")
			}
			audit(t, b)
		}
		if r := lookup(b, "a"); r != nil && r.attached != 0 {
			t.Errorf("%v ends with %d", steps, r.attached)
		}
	}
	b.Detach("b")
	if r := lookup(b, "b"); r == nil || r.attached != -1 {
		t.Error("an early Detach is not remembered")
	}
}

// The room's name must not keep the frame alive that it was read from.
func TestNameIsCopied(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	frame := string(make([]byte, 100)) + "room"
	attach(t, b, frame[100:], hundred)
	attach(t, b, frame[100:], hundred)
	if r := lookup(b, "room"); r == nil || r.attached != 2 {
		t.Error("the room is not found by its name")
	}
}

func TestContentIsKeptByReference(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	m := &hub.Message{Channel: "a", Content: []byte("1"), Position: hub.Position{Anchor: 7}}
	if _, err := b.Publish(context.Background(), m, hub.PublishOptions{Retention: hundred}); err != nil {
		t.Fatal(err)
	}
	if got := page(t, b, "a", hundred, hub.HistoryQuery{Limit: 1}).Messages; len(got) != 1 || got[0] != m {
		t.Error("the message was copied")
	}
}

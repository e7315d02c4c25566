package redis

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// A Redis that begins anew from a copy without a room's messages gives no position a
// second time. Deleting the room and flushing the scripts is what such a start looks like.
func TestRoomThatIsLostGetsAnotherEpoch(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newNode(t, checker.New(checker.Options{}), "node", patient(s.Addr))
	publish := func() hub.Position {
		t.Helper()
		done, err := n.Publish(t.Context(), &hub.Message{Channel: "room", Content: []byte("1")}, hub.PublishOptions{Retention: kept})
		if err != nil {
			t.Fatal(err)
		}
		return done.Position
	}
	before := publish()
	names := n.at("room").c.names
	s.do("del", names.meta("room"), names.stream("room"))
	s.do("script", "flush")
	if after := publish(); after.Epoch == before.Epoch || after.Offset != 1 {
		t.Errorf("%+v comes after %+v", after, before)
	}
	// A script that Redis does not know yet is no new beginning.
	empty := n.history(t).Top
	secret := s.do("get", names.secret())
	if _, err := n.History(t.Context(), "another", kept, hub.HistoryQuery{Limit: 1}); err != nil {
		t.Fatal(err)
	}
	if now := s.do("get", names.secret()); now != secret {
		t.Errorf("the secret was %v and is %v, at %+v", secret, now, empty)
	}
}

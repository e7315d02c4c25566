package redis

import (
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
)

// A room loses its history and gets it back while its subscription is not confirmed. That
// happens when a machine is busy for longer than Attach waits. When the subscription is
// confirmed, the messages of the new log arrive without another message.
func TestDroppedWhileUnsubscribed(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := faultproxy.Start(t, s.Addr)
	o := quickOptions(p.Addr())
	o.Probe, o.Check = time.Minute, time.Minute // neither may help
	n := newNode(t, checker.New(checker.Options{}), "node", o)
	n.enter("other") // so that there is a subscribed connection
	p.StallSubscribers()
	if err := n.Attach(t.Context(), "room", kept); err != nil {
		t.Fatal(err)
	}
	publish := func(content string, keep hub.Retention) hub.Position {
		t.Helper()
		got, err := n.Publish(t.Context(), &hub.Message{Channel: "room", Content: []byte(content)}, hub.PublishOptions{Retention: keep})
		if err != nil || got.Degraded {
			t.Fatalf("publishing %s: %+v, %v", content, got, err)
		}
		return got.Position
	}
	publish("1", kept)
	publish("2", hub.Retention{}) // the first message belongs to no log any more
	publish("3", kept)
	top := publish("4", kept)
	p.Heal()
	n.await(t, "the new log arrives", func() bool { return n.last["room"].Epoch == top.Epoch && n.last["room"].Offset == top.Offset })
	if n.count["room"] != 1 {
		t.Errorf("%d messages without position", n.count["room"])
	}
}

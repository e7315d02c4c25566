package redis

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// feedLog is a sink that keeps what a feed brings.
type feedLog struct {
	mu   sync.Mutex
	got  []string
	lost int
}

func (*feedLog) Broadcast(string, ...*hub.Message) {}

func (l *feedLog) Feed(_ string, m *hub.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, m.Channel+string(m.Content))
}

func (l *feedLog) FeedLost(string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost++
}

func (l *feedLog) state() ([]string, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.got), l.lost
}

// A node that loses its link to Redis tells its feeds so once it is back. Meanwhile they bring what
// the node itself delivers without Redis, once.
func TestFeedOverOutage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	log := new(feedLog)
	b := open(t, quickOptions(s.Addr)).Broker(log)
	t.Cleanup(func() { _ = b.Close() })
	feeds := b.(hub.FeedBroker)
	if err := feeds.AttachFeed(t.Context(), "a:*"); err != nil {
		t.Fatal(err)
	}
	publish := func(content string) hub.Published {
		m := &hub.Message{Channel: "a:1", Content: []byte(content), Time: time.Now()}
		p, err := b.Publish(t.Context(), m, hub.PublishOptions{Feed: "a:*"})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	brought := func(want ...string) {
		t.Helper()
		eventually(t, "the feed brings what was published", func() bool {
			got, _ := log.state()
			return slices.Equal(got, want)
		})
	}
	publish("1")
	brought("a:11")
	if _, lost := log.state(); lost != 0 {
		t.Errorf("lost %d times before anything broke", lost)
	}
	s.Kill()
	if p := publish("2"); !p.Degraded {
		t.Error("published without Redis")
	}
	brought("a:11", "a:12")
	s.Restart()
	eventually(t, "the feed is lost", func() bool { _, lost := log.state(); return lost > 0 })
	publish("3")
	brought("a:11", "a:12", "a:13")
	feeds.DetachFeed("a:*")
}

// A feed that is attached while Redis is away is lost until Redis is back.
func TestFeedAttachedDuringOutage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	log := new(feedLog)
	s.Kill()
	b := open(t, quickOptions(s.Addr)).Broker(log)
	t.Cleanup(func() { _ = b.Close() })
	if err := b.(hub.FeedBroker).AttachFeed(t.Context(), "a:*"); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	eventually(t, "the feed is lost", func() bool { _, lost := log.state(); return lost == 1 })
}

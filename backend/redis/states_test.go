package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// async sends a command that takes long. The returned function waits for its end.
func (s *server) async(args ...any) func() {
	over := make(chan struct{})
	c := goredis.NewClient(&goredis.Options{
		Addr: s.Addr, Protocol: 2, DisableIdentity: true, MaxRetries: -1, ReadTimeout: time.Minute, MaintNotificationsConfig: noMaintNotifications(),
	})
	go func() {
		defer close(over)
		_ = c.Do(context.Background(), args...).Err() // a killed script fails
	}()
	return func() {
		<-over
		c.Close()
	}
}

// Redis is there and rejects work: it is full, a replica, busy with a script, or loading.
// Publishing fails with an error after which the client tries again, the subscription stays,
// and all goes on afterwards.
func TestDrillStates(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]struct {
		begin func(s *server) (end func())
		says  string // empty: it may also not answer
	}{
		"full": {func(s *server) func() {
			s.do("config", "set", "maxmemory", "1mb")
			return func() { s.do("config", "set", "maxmemory", "0") }
		}, "OOM"},
		"replica": {func(s *server) func() {
			s.do("replicaof", "127.0.0.1", "1")
			return func() { s.do("replicaof", "no", "one") }
		}, "READONLY"},
		"busy": {func(s *server) func() {
			s.do("config", "set", "busy-reply-threshold", "50")
			wait := s.async("eval", "while true do end", 0)
			return func() {
				s.do("script", "kill")
				wait()
			}
		}, "BUSY"},
		"loading": {func(s *server) func() {
			for i := range 100 {
				s.do("set", fmt.Sprint("filler:", i), fmt.Sprintf("%02000d", i))
			}
			s.do("config", "set", "key-load-delay", "40000")
			return s.async("debug", "reload")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, "--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024")
			c := checker.New(checker.Options{})
			o := hastyOptions(s.Addr)
			o.Probe = time.Second // a busy machine answers the probe in less time
			n := newNode(t, c, "node", o)
			n.enter("room")
			if err := n.send(t.Context(), "room", `"before"`); err != nil {
				t.Fatal(err)
			}
			n.await(t, "it is delivered", func() bool { return n.last["room"].Offset == 1 })
			connections := n.stats().Connections

			end := state.begin(s)
			var err error
			eventually(t, "Redis says "+state.says, func() bool {
				_, err = n.Publish(t.Context(), &hub.Message{Channel: "other", Content: []byte("1")}, hub.PublishOptions{Retention: kept})
				if err != nil && !errors.Is(err, hub.ErrUnavailable) {
					t.Fatal(err)
				}
				return err != nil && strings.Contains(err.Error(), state.says)
			})
			// A message of a room without history may be stored or not; it is never an error.
			if _, err := n.Publish(t.Context(), &hub.Message{Channel: "plain", Content: []byte("1")}, hub.PublishOptions{}); err != nil {
				t.Errorf("a room without history: %v", err)
			}
			time.Sleep(2 * o.Probe)
			if got := n.stats().Connections; got != connections {
				t.Errorf("the subscribed connection was replaced: %d, then %d", connections, got)
			}
			// For this the connection may have to be replaced, because Redis may reject the
			// subscription.
			if err := n.Attach(t.Context(), "later", kept); err != nil {
				t.Errorf("attach: %v", err)
			}
			end()

			if err := n.send(t.Context(), "room", `"after"`); err != nil {
				t.Fatal(err)
			}
			n.await(t, "it is delivered afterwards", func() bool { return n.last["room"].Offset == 2 })
			eventually(t, "a room that was attached meanwhile is subscribed", n.brokerFor("later").findRoom("later").hasPosition)
			if report := c.Check(); !report.OK() || report.Gaps > 0 {
				t.Error(report)
			}
		})
	}
}

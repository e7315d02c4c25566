package sse_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// An EventSource is told that a reload has closed its only room, and its stream ends. It
// comes back by itself, is asked to come again until the room is open, and is served then.
func TestRoomClosesAndOpens(t *testing.T) {
	t.Parallel()
	for _, channel := range []string{"plain:1", "kept:1"} {
		overEachWay(t, config{}, func(t *testing.T, s *site) {
			st := s.open("channel=" + channel).begin(1)
			s.registry.Apply(session.Config{})
			if ev := st.event("unsubscribed"); !strings.Contains(ev.data, "FORBIDDEN") {
				t.Errorf("got %+v", ev)
			}
			if ev := st.event("close"); !strings.Contains(ev.data, `"reconnect":true`) {
				t.Errorf("got %+v", ev)
			}
			if _, err := st.next(); err != io.EOF {
				t.Errorf("got %v, want the regular end", err)
			}
			again := s.open("channel="+channel, "Last-Event-Id", st.lastID)
			if ev, err := again.next(); err != io.EOF || again.retry < 30*time.Second {
				t.Errorf("got %+v, %v, retry %v", ev, err, again.retry)
			}
			if res := s.get("channel=" + channel); res.StatusCode != 403 {
				t.Errorf("somebody new is answered %d", res.StatusCode)
			}
			s.registry.Apply(session.Config{Policy: rooms(t)})
			s.open("channel="+channel, "Last-Event-Id", st.lastID).begin(1)
		})
	}
}

// One who comes back is served the channels that are left, and told of the others.
func TestReturningWithoutOneChannel(t *testing.T) {
	t.Parallel()
	overEachWay(t, config{}, func(t *testing.T, s *site) {
		st := s.open("channel=plain:1&channel=users:1&channel=other", "Last-Event-Id", "~")
		st.event("connected")
		for _, code := range []string{"UNAUTHORIZED", "FORBIDDEN"} {
			if ev := st.event("unsubscribed"); !strings.Contains(ev.data, code) {
				t.Errorf("got %+v", ev)
			}
		}
		st.event("subscribed")
		p, err := policy.Compile([]policy.Room{{Pattern: "plain:*", Subscribe: policy.Anyone}, {Pattern: "other", Subscribe: policy.Anyone}})
		if err != nil {
			t.Fatal(err)
		}
		s.registry.Apply(session.Config{Policy: p})
		st.event("close")
	})
}

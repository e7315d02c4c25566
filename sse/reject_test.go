package sse_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/sse"
)

// A permanent error is answered with its status, before the stream starts.
func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, query string
		header      []string
		status      int
		code        string
	}{
		{"no channel", "", nil, 400, "INVALID_CHANNEL"},
		{"empty channel", "channel=", nil, 400, "INVALID_CHANNEL"},
		{"bad channel", "channel=plain:1&channel=a*", nil, 400, "INVALID_CHANNEL"},
		{"forbidden channel", "channel=plain:1&channel=other", nil, 403, "FORBIDDEN"},
		{"sign in", "channel=users:1", nil, 401, "UNAUTHORIZED"},
		{"forbidden history", "channel=plain:1&channel=sealed:1&history=1", nil, 403, "FORBIDDEN"},
		{"history that is no number", "channel=kept:1&history=all", nil, 400, "INVALID_MESSAGE"},
		{"negative history", "channel=kept:1&history=-1", nil, 400, "INVALID_MESSAGE"},
		{"empty history", "channel=kept:1&history=", nil, 400, "INVALID_MESSAGE"},
		{"too much history", "channel=kept:1&history=1001", nil, 400, "INVALID_MESSAGE"},
		{"history twice", "channel=kept:1&history=1&history=2", nil, 400, "INVALID_MESSAGE"},
		{"misspelt parameter", "channel=kept:1&Last-Event-ID=x", nil, 400, "INVALID_MESSAGE"},
		{"parameter of another request", "channel=kept:1&limit=1", nil, 400, "INVALID_MESSAGE"},
		{"bad format", "channel=plain:1&format=xml", nil, 400, "INVALID_MESSAGE"},
		{"bad query", "channel=%zz", nil, 400, "INVALID_MESSAGE"},
		{"too many channels", "channel=plain:1&channel=plain:2&channel=plain:3&channel=plain:4", nil, 429, "LIMIT_EXCEEDED"},
	}
	overEachWay(t, config{limits: session.Limits{Channels: 3}}, func(t *testing.T, s *site) {
		for _, tt := range tests {
			res := s.get(tt.query, tt.header...)
			var p struct {
				Type, Title, Detail, Code string
				Status                    int
			}
			if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if res.StatusCode != tt.status || p.Status != tt.status || p.Code != tt.code || p.Detail == "" {
				t.Errorf("%s: status %d, problem %+v", tt.name, res.StatusCode, p)
			}
			if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("%s: %s", tt.name, got)
			}
			if err := <-s.served; err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if s.hub.Conns() != 0 {
			t.Error("rejected streams have left connections behind")
		}
	})
}

// An answer names the channel that is rejected: the client may have asked for several.
func TestRefusalNamesTheChannel(t *testing.T) {
	t.Parallel()
	tests := []struct{ query, rejected, detail string }{
		{"channel=plain:1&channel=plain:2&channel=new:today", "new:today", `channel "new:today": you may not subscribe to this channel`},
		{"channel=plain:1&channel=users:1&channel=other", "users:1", `channel "users:1": you must be signed in to subscribe to this channel`},
		{"channel=%E2%80%AEx", "", `channel name "\u202ex" must not contain '\u202e'`},
		{"channel=" + strings.Repeat("y", 100), strings.Repeat("y", 100), `channel "` + strings.Repeat("y", 48) + `"…: you may not subscribe to this channel`},
		{"pattern=other:*", "other:*", `you may not subscribe to pattern "other:*"`},
		{"pattern=users:*", "users:*", `pattern "users:*": you may not subscribe to this pattern`},
	}
	s := newSite(t, config{})
	for _, tt := range tests {
		res := s.get(tt.query)
		var p struct{ Detail string }
		if err := json.NewDecoder(res.Body).Decode(&p); err != nil || p.Detail != tt.detail {
			t.Errorf("%s: %q, %v", tt.query, p.Detail, err)
		}
		if name := <-s.rejected; name != tt.rejected {
			t.Errorf("%s: %q is rejected", tt.query, name)
		}
	}
}

// counting counts the rooms that a broker is told of.
type counting struct {
	hub.Broker
	rooms *atomic.Int32
}

func (c counting) Attach(ctx context.Context, channel string, r hub.Retention) error {
	c.rooms.Add(1)
	return c.Broker.Attach(ctx, channel, r)
}

// The channels are counted before the first of them is subscribed to.
func TestTooManyChannelsCostNothing(t *testing.T) {
	t.Parallel()
	var rooms atomic.Int32
	c := config{limits: session.Limits{Channels: 3}, broker: func(b hub.Broker) hub.Broker { return counting{b, &rooms} }}
	overEachWay(t, c, func(t *testing.T, s *site) {
		if res := s.get("channel=kept:1&channel=kept:2&channel=kept:3&channel=kept:4"); res.StatusCode != http.StatusTooManyRequests {
			t.Errorf("status %d", res.StatusCode)
		}
		if n := rooms.Load(); n != 0 {
			t.Errorf("%d rooms were made", n)
		}
	})
}

// A channel that is named twice counts once.
func TestRepeatedChannelCountsOnce(t *testing.T) {
	t.Parallel()
	overEachWay(t, config{limits: session.Limits{Channels: 3}}, func(_ *testing.T, s *site) {
		s.open("channel=kept:1&channel=kept:2&channel=kept:3&channel=kept:1").begin(3)
	})
}

// comeBack matches a stream that says when to come back and nothing else.
var comeBack = regexp.MustCompile(`^retry: [0-9]+\n\n$`)

// rejectedForNow checks that an EventSource is asked back and that other clients
// are told in the way of HTTP.
func rejectedForNow(t *testing.T, s *site, status int) {
	t.Helper()
	res := s.get("channel=plain:1")
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !comeBack.Match(body) {
		t.Errorf("status %d, body %q, %v", res.StatusCode, body, err)
	}
	if typ := res.Header.Get("Content-Type"); typ != "text/event-stream" {
		t.Errorf("content type %q", typ)
	}
	res = s.get("channel=plain:1", "Accept", "*/*")
	if res.StatusCode != status {
		t.Errorf("status %d, want %d", res.StatusCode, status)
	}
	if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err != nil || n < 1 {
		t.Errorf("Retry-After %q", res.Header.Get("Retry-After"))
	}
}

func TestRefusedByLimit(t *testing.T) {
	t.Parallel()
	overEachWay(t, config{limits: session.Limits{Connections: 1}}, func(t *testing.T, s *site) {
		s.open("channel=plain:1").begin(1)
		rejectedForNow(t, s, http.StatusTooManyRequests)
	})
}

func TestRefusedByRate(t *testing.T) {
	t.Parallel()
	limits := session.Limits{Handshakes: policy.Rate{PerSecond: 0.001, Burst: 1}}
	overEachWay(t, config{limits: limits}, func(t *testing.T, s *site) {
		s.open("channel=plain:1").begin(1)
		rejectedForNow(t, s, http.StatusTooManyRequests)
	})
}

func TestRefusedByDrain(t *testing.T) {
	t.Parallel()
	overEachWay(t, config{}, func(t *testing.T, s *site) {
		s.hub.Drain(t.Context(), hub.DrainPlan{})
		rejectedForNow(t, s, http.StatusServiceUnavailable)
	})
}

// absent is a broker whose store cannot be reached.
type absent struct{ hub.Broker }

func (absent) Attach(context.Context, string, hub.Retention) error { return hub.ErrUnavailable }

// A stream that fails after its session was opened is still answered with a status.
func TestRefusedByBroker(t *testing.T) {
	t.Parallel()
	c := config{broker: func(b hub.Broker) hub.Broker { return absent{b} }}
	overEachWay(t, c, func(t *testing.T, s *site) {
		rejectedForNow(t, s, http.StatusServiceUnavailable)
		for range 2 {
			s.end()
		}
		if n := s.hub.Conns(); n != 0 {
			t.Errorf("%d connections left", n)
		}
	})
}

// closing is a broker during whose work the node goes away.
type closing struct {
	hub.Broker
	site *site
}

func (c closing) Attach(ctx context.Context, channel string, r hub.Retention) error {
	c.site.hub.Drain(ctx, hub.DrainPlan{})
	return c.Broker.Attach(ctx, channel, r)
}

// A connection that is closed before its stream begins leaves nothing behind.
func TestClosedBeforeItBegins(t *testing.T) {
	t.Parallel()
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			broker := new(closing)
			s := newSite(t, config{way: w, broker: func(b hub.Broker) hub.Broker {
				broker.Broker = b
				return broker
			}})
			broker.site = s
			body, err := io.ReadAll(s.get("channel=plain:1").Body)
			if err != nil || !comeBack.Match(body) {
				t.Errorf("body %q, %v", body, err)
			}
			if code := s.end(); code != hub.ReasonRestart.Code {
				t.Errorf("code %d", code)
			}
		})
	}
}

func TestIsStream(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method, accept string
		want           bool
	}{
		{"GET", "text/event-stream", true},
		{"GET", "text/html, Text/Event-Stream;q=0.9", true},
		{"GET", "*/*", false},
		{"GET", "", false},
		{"POST", "text/event-stream", false},
	}
	for _, tt := range tests {
		r, err := http.NewRequest(tt.method, "/", strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", tt.accept)
		if got := sse.IsStream(r); got != tt.want {
			t.Errorf("%s %q: %v", tt.method, tt.accept, got)
		}
	}
}

// Clients that are cut off together must not come back together.
func TestRetryIsSpread(t *testing.T) {
	t.Parallel()
	s := newSite(t, config{way: ways[0]})
	seen := make(map[time.Duration]bool)
	for range 10 {
		st := s.open("channel=plain:1")
		st.event("connected")
		seen[st.retry] = true
	}
	if len(seen) < 5 {
		t.Errorf("only %d different times of 10", len(seen))
	}
}

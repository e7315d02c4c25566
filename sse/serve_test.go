package sse_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func TestStreamBegins(t *testing.T) {
	t.Parallel()
	overEachWay(t, config{user: "ann"}, func(t *testing.T, s *site) {
		st := s.open("channel=kept:1")
		for name, want := range map[string]string{
			"Content-Type":           "text/event-stream",
			"Cache-Control":          "no-store, no-transform",
			"X-Accel-Buffering":      "no",
			"X-Content-Type-Options": "nosniff",
			"Content-Length":         "",
			"Transfer-Encoding":      "",
		} {
			if got := st.res.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if ev := st.event("connected"); !strings.Contains(ev.data, `"user":"ann"`) {
			t.Errorf("connected: %s", ev.data)
		}
		if st.retry < 2*time.Second || st.retry > 5*time.Second {
			t.Errorf("retry %v", st.retry)
		}
		if ev := st.event("subscribed"); !strings.Contains(ev.data, `"channel":"kept:1"`) {
			t.Errorf("subscribed: %s", ev.data)
		}
	})
}

func TestMessages(t *testing.T) {
	t.Parallel()
	overEachWay(t, config{}, func(t *testing.T, s *site) {
		st := s.open("channel=kept:1").begin(1)
		p := s.publish("kept:1", `{"n":1}`)
		ev := st.event("message")
		if ev.id != cursor("kept:1", p) || !strings.Contains(ev.data, `"content":{"n":1}`) {
			t.Errorf("got %+v", ev)
		}
		s.publishEvent("kept:1", `2`, "tick")
		st.event("tick")
	})
}

func TestContentFormat(t *testing.T) {
	t.Parallel()
	overEachWay(t, config{}, func(t *testing.T, s *site) {
		st := s.open("channel=kept:1&format=content").begin(1)
		s.publish("kept:1", `"<li>a</li>\n<li>b</li>"`)
		if ev := st.event("message"); ev.data != "<li>a</li>\n<li>b</li>" {
			t.Errorf("got %+v", ev)
		}
	})
}

// Channel names may hold commas and are decoded once.
func TestChannelNames(t *testing.T) {
	t.Parallel()
	s := newSite(t, config{way: ways[0]})
	st := s.open("channel=plain:a,b&channel=plain:c%252F&channel=plain:a,b").begin(2)
	for _, channel := range []string{"plain:a,b", "plain:c%2F"} {
		s.publish(channel, `1`)
		if ev := st.event("message"); !strings.Contains(ev.data, strconv.Quote(channel)) {
			t.Errorf("got %+v", ev)
		}
	}
}

// The id of a room without history says nothing but that its client was here before.
func TestRoomWithoutHistoryHasNoPositions(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"channel=plain:1", "channel=plain:1&channel=plain:2"} {
		s := newSite(t, config{way: ways[0]})
		st := s.open(query).begin(strings.Count(query, "channel"))
		s.publish("plain:1", `1`)
		if ev := st.event("message"); ev.id != "~" {
			t.Errorf("got %+v", ev)
		}
	}
}

// What was published while a client was away arrives when it comes back with the
// last id it saw, also in channels in which it had never seen anything.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"channel=kept:1", "channel=kept:1&channel=kept:2&channel=plain:1"} {
		channels := strings.Count(query, "channel")
		overEachWay(t, config{}, func(t *testing.T, s *site) {
			s.publish("kept:1", `"before"`)
			st := s.open(query).begin(channels)
			s.publish("kept:1", `"seen"`)
			st.event("message")
			id := st.lastID
			st.leave()

			s.publish("kept:1", `"missed 1"`)
			if channels > 1 {
				s.publish("kept:2", `"missed 2"`)
			}
			st = s.open(query+"&format=content&lastEventID=nonsense", "Last-Event-Id", id)
			var got []string
			st.event("connected")
			for len(got) < min(channels, 2) {
				if ev, err := st.next(); err != nil {
					t.Fatal(err)
				} else if ev.name == "message" {
					got = append(got, ev.data)
				} else if ev.name != "subscribed" {
					t.Fatalf("got %+v", ev)
				}
			}
			if text := strings.Join(got, ", "); text != "missed 1" && text != "missed 1, missed 2" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A client that leaves before anything happened has a cursor all the same.
func TestResumeFromTheBeginning(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"channel=kept:1", "channel=kept:1&channel=kept:2"} {
		s := newSite(t, config{way: ways[0]})
		s.publish("kept:1", `"before"`)
		channels := strings.Count(query, "channel")
		st := s.open(query).begin(channels)
		id := st.lastID
		st.leave()
		s.publish("kept:1", `"missed"`)

		for _, name := range []string{"lastEventID", "lastEventId"} {
			st = s.open(query + "&" + name + "=" + id).begin(1)
			if ev := st.event("message"); !strings.Contains(ev.data, `"missed"`) {
				t.Errorf("got %+v", ev)
			}
			st.leave()
		}
	}
}

// The first id covers all channels, before any event could be cut off.
func TestFirstCursor(t *testing.T) {
	t.Parallel()
	s := newSite(t, config{way: ways[0]})
	a, b := s.publish("kept:1", `1`), s.publish("kept:2", `1`)
	st := s.open("channel=kept:1&channel=kept:2")
	if ev := st.event("connected"); ev.id != cursor("kept:1", a)+"."+cursor("kept:2", b) {
		t.Errorf("got %+v", ev)
	}
}

func TestGap(t *testing.T) {
	t.Parallel()
	overEachWay(t, config{}, func(t *testing.T, s *site) {
		p := s.publish("kept:1", `1`)
		lost := p
		lost.Epoch = "00000000"
		st := s.open("channel=kept:1", "Last-Event-Id", cursor("kept:1", lost)).begin(1)
		if ev := st.event("gap"); ev.id != cursor("kept:1", p) {
			t.Errorf("got %+v, want position %+v", ev, p)
		}
	})
}

// A cursor that says nothing of a channel with history cannot show that nothing of
// it was missed.
func TestGapOfUnknownChannel(t *testing.T) {
	t.Parallel()
	s := newSite(t, config{way: ways[0]})
	p := s.publish("kept:1", `1`)
	st := s.open("channel=kept:1&channel=kept:2&channel=plain:1", "Last-Event-Id", cursor("kept:1", p)).begin(2)
	if ev := st.event("gap"); !strings.Contains(ev.data, "kept:2") {
		t.Errorf("got %+v", ev)
	}
	st.event("subscribed")
}

func TestDrain(t *testing.T) {
	t.Parallel()
	overEachWay(t, config{}, func(t *testing.T, s *site) {
		st := s.open("channel=plain:1").begin(1)
		s.hub.Drain(t.Context(), hub.DrainPlan{})
		ev := st.event("reconnect")
		var e struct{ Payload struct{ After int64 } }
		if err := json.Unmarshal([]byte(ev.data), &e); err != nil {
			t.Fatal(err)
		}
		if want := max(time.Duration(e.Payload.After)*time.Millisecond, time.Millisecond); st.retry > want || st.retry < want-time.Millisecond {
			t.Errorf("retry %v, after %v", st.retry, want)
		}
		if ev := st.event("close"); !strings.Contains(ev.data, "1012") {
			t.Errorf("got %+v", ev)
		}
		if _, err := st.next(); err != io.EOF {
			t.Errorf("got %v, want the regular end", err)
		}
	})
}

func TestHubCloses(t *testing.T) {
	t.Parallel()
	overEachWay(t, config{}, func(t *testing.T, s *site) {
		st := s.open("channel=plain:1").begin(1)
		s.close()
		st.event("close")
		if _, err := st.next(); err != io.EOF {
			t.Errorf("got %v, want the regular end", err)
		}
		if err := <-s.served; err != nil {
			t.Error(err)
		}
	})
}

func TestClientLeaves(t *testing.T) {
	t.Parallel()
	overEachWay(t, config{}, func(t *testing.T, s *site) {
		st := s.open("channel=plain:1").begin(1)
		st.leave()
		if code := s.end(); code != hub.ReasonLost.Code {
			t.Errorf("code %d", code)
		}
		if n := s.hub.Conns(); n != 0 {
			t.Errorf("%d connections left", n)
		}
	})
}

// Over HTTP/2 the deadline of one write, or the server's for a whole response, must
// not stay armed: it would reset the stream. The pings show that the stream lives on
// beyond both. The server's own is also one for the handshake of TLS, so that these are
// seconds, which is time enough for a write, too.
func TestQuietForLongerThanTheWriteTimeout(t *testing.T) {
	t.Parallel()
	settings := hub.Settings{Heartbeat: 3500 * time.Millisecond, WriteTimeout: time.Second}
	overEachWay(t, config{settings: settings, timeout: 3 * time.Second}, func(t *testing.T, s *site) {
		st := s.open("channel=plain:1").begin(1)
		for pings := 0; pings < 2; {
			line, err := st.line()
			if err != nil {
				t.Fatalf("after %d pings: %v", pings, err)
			}
			if line == ":" {
				pings++
			}
		}
		s.publish("plain:1", `1`)
		st.event("message")
	})
}

func TestMethod(t *testing.T) {
	t.Parallel()
	s := newSite(t, config{way: ways[0]})
	res, err := s.client.Post(s.server.URL+"/?channel=plain:1", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET" {
		t.Errorf("status %d, allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

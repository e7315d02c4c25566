//go:build unix

package integration

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

const awaySite = `
http://{{site}} {
	realtime /rt {
		user {header.X-User}
		api_key {env.REALTIME_TEST_KEY}
		redis {env.REALTIME_TEST_REDIS}
		room kept:* {
			subscribe anyone
			publish anyone
			history 10
		}
		room plain:* {
			subscribe anyone
			publish anyone
		}
		room here:* {
			subscribe anyone
			presence {
				grace 100ms
			}
		}
	}
}
`

// awayLimit is after how long without Redis a node wants no new clients.
const awayLimit = 10 * time.Second

// talker is a WebSocket to one of several nodes. It is read all the time, so that the
// pings of the server are answered.
type talker struct {
	t      *testing.T
	ws     *websocket.Conn
	frames chan string // closed when the connection is
	kept   []string    // read before an answer, and not asked for yet
	past   []string    // all that was read
	asked  int
}

func talk(t *testing.T, base, user string) *talker {
	t.Helper()
	ws, res, _ := connect(t, "ws"+strings.TrimPrefix(base, "http"), "X-User", user)
	if ws == nil {
		t.Fatalf("%s is refused with %s", user, res.Status)
	}
	_ = ws.SetReadDeadline(time.Time{})
	v := &talker{t: t, ws: ws, frames: make(chan string, 1000)}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(v.frames)
		for {
			_, frame, err := ws.ReadMessage()
			if err != nil {
				return
			}
			v.frames <- string(frame)
		}
	})
	t.Cleanup(func() {
		ws.Close()
		reading.Wait()
	})
	return v
}

// says sends a command.
func (v *talker) says(command string) {
	v.t.Helper()
	send(v.t, v.ws, command)
}

// heardNone fails if a frame with a text has come before what was last heard.
func (v *talker) heardNone(text string) {
	v.t.Helper()
	for _, frame := range v.past {
		if strings.Contains(frame, text) {
			v.t.Errorf("%s was heard", frame)
		}
	}
}

// hears reads up to a frame that has all the parts and none of those behind "but".
func (v *talker) hears(parts ...string) string {
	v.t.Helper()
	for i, frame := range v.kept {
		if fits(frame, parts) {
			v.kept = v.kept[i+1:]
			return frame
		}
	}
	v.kept = nil
	return v.next(parts)
}

// next reads up to such a frame and keeps those before it.
func (v *talker) next(parts []string) string {
	v.t.Helper()
	for over := time.After(20 * time.Second); ; {
		select {
		case frame, ok := <-v.frames:
			if !ok {
				v.t.Fatalf("the connection is closed before a frame with %q, after %q", parts, v.kept)
			}
			v.past = append(v.past, frame)
			if fits(frame, parts) {
				return frame
			}
			v.kept = append(v.kept, frame)
		case <-over:
			v.t.Fatalf("no frame with %q, but %q", parts, v.kept)
		}
	}
}

func fits(frame string, parts []string) bool {
	want := true
	for _, p := range parts {
		if p == "but" {
			want = false
		} else if strings.Contains(frame, p) != want {
			return false
		}
	}
	return true
}

// asks sends a command with an id and reads up to its answer.
func (v *talker) asks(typ, payload string, parts ...string) {
	v.t.Helper()
	v.asked++
	id := strconv.Itoa(v.asked) + ","
	v.says(`{"type":"` + typ + `","id":` + id + `"payload":` + payload + `}`)
	if frame := v.next([]string{`"id":` + id}); !fits(frame, parts) {
		v.t.Errorf("%s %s is answered with %s, want %q", typ, payload, frame, parts)
	}
}

// readiness waits until a node says that it takes clients, or does not, and tells how
// long that took.
func readiness(t *testing.T, base string, want int) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		res, body := request(t, "GET", base+"/ready", "")
		switch {
		case res.StatusCode == want && (want == http.StatusOK || res.Header.Get("Retry-After") != ""):
			return time.Since(began)
		case time.Since(began) > 30*time.Second:
			t.Fatalf("readiness is still answered with %s: %s", res.Status, body)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// Redis does not answer for a while, or is gone. Nothing closes; what can be done on
// one node is, and says so; what can not is refused with a time to try again; and
// afterwards all is as before.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	for name, drill := range map[string]struct{ stop, start func(*redistest.Server) }{
		"paused": {(*redistest.Server).Pause, (*redistest.Server).Resume},
		"killed": {(*redistest.Server).Kill, (*redistest.Server).Restart},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
			env := []string{"REALTIME_TEST_REDIS=" + redis.Addr, "REALTIME_TEST_KEY=" + appKey}
			a, b := StartProcess(t, awaySite, env...), StartProcess(t, awaySite, env...)
			baseA, baseB := "http://"+a.Addr("site")+"/rt", "http://"+b.Addr("site")+"/rt"
			readiness(t, baseA, http.StatusOK)
			readiness(t, baseB, http.StatusOK)

			ann, ben, cleo := talk(t, baseA, "ann"), talk(t, baseB, "ben"), talk(t, baseA, "cleo")
			for _, v := range []*talker{ann, ben} {
				for _, channel := range []string{"kept:1", "plain:1", "here:1"} {
					v.asks("subscribe", `{"channel":"`+channel+`"}`, `"type":"subscribed"`)
				}
			}
			ann.hears(`"here:1"`, `"ben"`) // in the snapshot, or entering
			ann.asks("message", `{"channel":"kept:1","content":"before"}`, `"type":"ack"`, `"offset":1`)
			ben.hears("before")

			drill.stop(redis)
			began := time.Now()
			ann.asks("message", `{"channel":"kept:1","content":"refused"}`, `"UNAVAILABLE"`, `"retryAfter":`)
			ann.asks("message", `{"channel":"plain:1","content":"alone"}`, `"type":"ack"`, `"degraded":true`)
			cleo.asks("subscribe", `{"channel":"plain:1"}`, `"type":"subscribed"`)
			ann.asks("message", `{"channel":"plain:1","content":"for two"}`, `"type":"ack"`, `"degraded":true`)
			cleo.hears("for two")
			cleo.asks("subscribe", `{"channel":"kept:1"}`, `"UNAVAILABLE"`, `"retryAfter":`)
			cleo.asks("history", `{"channel":"kept:1"}`, `"type":"error"`)
			// Where nothing happens they learn that this may not be all, and who comes
			// now is seen by the others on this node.
			for _, v := range []*talker{ann, ben} {
				v.hears(`"type":"presence"`, `"here:1"`, `"partial":true`)
			}
			cleo.asks("subscribe", `{"channel":"here:1"}`, `"type":"subscribed"`)
			cleo.hears(`"type":"presence"`, `"here:1"`, `"cleo"`, `"ann"`, `"partial":true`)
			ann.hears(`"type":"presence"`, `"entered":["cleo"]`, `"partial":true`)
			ann.asks("presence", `{"channel":"here:1"}`, `"cleo"`, `"partial":true`)
			if res, body := request(t, "POST", baseA+"/channels/kept:1/messages", `{"content": 1}`); res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
				t.Errorf("publishing is answered with %s: %s", res.Status, body)
			}
			if res, body := request(t, "POST", baseA+"/channels/plain:1/messages", `{"content": 1}`); res.StatusCode != 200 || !strings.Contains(body, `"degraded":true`) {
				t.Errorf("publishing is answered with %s: %s", res.Status, body)
			}
			if res, body := request(t, "GET", baseA+"/channels/here:1/presence", ""); res.StatusCode != 200 || !strings.Contains(body, `"partial":true`) || !strings.Contains(body, `"cleo"`) {
				t.Errorf("the members: %s %s", res.Status, body)
			}
			// A node counts from when Redis last took its lease, which is every second or
			// two, and more on a busy machine. A request that comes later says nothing.
			const soon = awayLimit - 4*time.Second
			res, _ := request(t, "GET", baseA+"/ready", "")
			if took := time.Since(began); took > soon {
				t.Logf("all this took %v, so that it says nothing that the node is %s", took, res.Status)
			} else if res.StatusCode != 200 {
				t.Errorf("after %v the node is not ready: %s", took, res.Status)
			}
			readiness(t, baseA, http.StatusServiceUnavailable)
			readiness(t, baseB, http.StatusServiceUnavailable)
			if took := time.Since(began); took < soon {
				t.Errorf("the nodes are not ready after %v", took)
			}
			for _, v := range []*talker{ann, ben, cleo} {
				v.asks("ping", `{}`, `"type":"pong"`)
			}

			drill.start(redis)
			readiness(t, baseA, http.StatusOK)
			readiness(t, baseB, http.StatusOK)
			// Nobody was away but Redis.
			if frame := ben.hears(`"type":"presence"`, "cleo"); !fits(frame, []string{`"entered":["cleo"]`}) {
				t.Errorf("in the end %s", frame)
			}
			ben.heardNone(`"left":`)
			ann.heardNone(`"left":`)
			ann.hears(`"type":"presence"`, "but", `"partial"`)
			ann.asks("presence", `{"channel":"here:1"}`, `"ann"`, `"ben"`, `"cleo"`, "but", `"partial"`)
			cleo.asks("subscribe", `{"channel":"kept:1"}`, `"type":"subscribed"`)
			ben.asks("message", `{"channel":"kept:1","content":"after"}`, `"type":"ack"`)
			for _, v := range []*talker{ann, cleo} {
				v.hears("after", `"type":"message"`)
			}
			ben.asks("message", `{"channel":"plain:1","content":"for all"}`, `"type":"ack"`, "but", `"degraded"`)
			for _, v := range []*talker{ann, cleo} {
				v.hears("for all")
			}
		})
	}
}

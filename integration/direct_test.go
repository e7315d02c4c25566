package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// A message to one member finds it on whichever process it is, over WebSocket and event
// streams alike, and nobody else, also not in the history of either process.
func TestProcessesDeliverToOneMember(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	env := "REALTIME_TEST_REDIS=" + redis.Addr
	a, b := StartProcess(t, sharedSite, env), StartProcess(t, sharedSite, env)
	baseA, baseB := "http://"+a.Addr("site")+"/rt", "http://"+b.Addr("site")+"/rt"

	annA, annB := follow(t, baseA, "ann", "chat:1"), follow(t, baseB, "ann", "chat:1")
	benA, benB := follow(t, baseA, "ben", "chat:1"), follow(t, baseB, "ben", "chat:1")
	// Somebody anonymous, by WebSocket.
	stranger := dial(t, "ws"+strings.TrimPrefix(baseB, "http"))
	send(t, stranger, `{"type":"subscribe","payload":{"channel":"chat:1","status":"curious"}}`)
	annA.until(`"curious"`)

	publish := func(base, body string) (int, string) {
		res, text := request(t, "POST", base+"/channels/chat:1/messages", body, "X-User", "dora", "Content-Type", "application/json")
		return res.StatusCode, text
	}
	for _, base := range []string{baseA, baseB} {
		if status, text := publish(base, `{"content": "secret over `+base+`", "to": {"user": "ann"}}`); status != 200 || text != "{}" {
			t.Fatalf("publishing is answered with %d %s", status, text)
		}
		for _, s := range []*roomStream{annA, annB} {
			s.until("secret over "+base, `"to":{"user":"ann"}`, `"from":{"user":"dora"}`)
		}
	}
	send(t, stranger, `{"type":"message","id":1,"payload":{"channel":"chat:1","content":"secret question","to":{"user":"ann"}}}`)
	expect(t, stranger, `"type":"ack"`)
	line := annA.until("secret question")
	_, from, _ := strings.Cut(line, `"from":`)
	from, _, _ = strings.Cut(from, ",")
	annB.until("secret question", `"from":`+from)
	// The answer comes from the other process.
	if status, text := publish(baseA, `{"content": "secret answer", "to": `+from+`}`); status != 200 {
		t.Fatalf("answering is answered with %d %s", status, text)
	}
	expect(t, stranger, `"secret answer"`)
	// Neither process takes the stranger's connection for a user, or ann for a connection.
	named := strings.Replace(from, `"connection"`, `"user"`, 1)
	for _, base := range []string{baseA, baseB} {
		for _, to := range []string{`{"user": "nobody"}`, named, `{"connection": "ann"}`} {
			if status, text := publish(base, `{"content": "secret to nobody", "to": `+to+`}`); status != http.StatusConflict || !strings.Contains(text, "NOT_PRESENT") {
				t.Errorf("to %s over %s: %d %s", to, base, status, text)
			}
		}
	}

	if status, _ := publish(baseA, `{"content": "to all"}`); status != 200 {
		t.Fatalf("publishing is answered with %d", status)
	}
	for _, s := range []*roomStream{benA, benB} {
		if seen := s.before("to all", `"offset":1`); strings.Contains(seen, "secret") {
			t.Errorf("ben has seen %s", seen)
		}
	}
	for _, base := range []string{baseA, baseB} {
		if _, text := request(t, "GET", base+"/channels/chat:1/messages", "", "X-User", "ann"); strings.Contains(text, "secret") || !strings.Contains(text, "to all") {
			t.Errorf("the history is %s", text)
		}
	}
}

// before reads up to a line that has all the parts, and gives what stood before it.
func (s *roomStream) before(parts ...string) string {
	s.t.Helper()
	var seen strings.Builder
	for s.lines.Scan() {
		line := s.lines.Text()
		has := true
		for _, p := range parts {
			has = has && strings.Contains(line, p)
		}
		if has {
			return seen.String()
		}
		seen.WriteString(line + "\n")
	}
	s.t.Fatalf("the stream ended before %q: %v", parts, s.lines.Err())
	return ""
}

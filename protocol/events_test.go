package protocol

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

var (
	_ Event = Authenticated{}
	_ Event = Connected{}
	_ Event = SubscribedReply{}
	_ Event = UnsubscribedReply{}
	_ Event = Ack{}
	_ Event = HistoryReply{}
	_ Event = Pong{}
	_ Event = ErrorReply{}
)

// The clock of a synctest bubble begins here.
const now = "946684800000"

var (
	seven    = json.RawMessage(`7`)
	accepted = time.UnixMilli(1700000000123)
	hello    = &hub.Message{Channel: "chat:42", Content: []byte(`"hi"`), Event: "said", Sender: "ann", Time: accepted, Position: position}
	bare     = &hub.Message{Channel: "chat:42", Content: []byte(`{"a":[]}`), Time: accepted}
)

var wire = []struct {
	name string
	ev   hub.Event
	want string
}{
	{"said", hello, `{"type":"message","timestamp":1700000000123,"payload":{"channel":"chat:42","offset":17,"anchor":"9c1f03aa","sender":"ann","event":"said","content":"hi"}}`},
	{"message", bare, `{"type":"message","timestamp":1700000000123,"payload":{"channel":"chat:42","content":{"a":[]}}}`},
	{"message", &hub.Message{Channel: "\"\u2028<", Sender: "\n", Time: accepted, Position: plain}, `{"type":"message","timestamp":1700000000123,"payload":{"channel":"\"\u2028<","offset":0,"sender":"\n","content":null}}`},
	{"gap", hub.Gap{Channel: "a", Position: position}, `{"type":"gap","timestamp":NOW,"payload":{"channel":"a","epoch":"k3v9x2m7","offset":17,"anchor":"9c1f03aa"}}`},
	{"gap", hub.Gap{Channel: "a"}, `{"type":"gap","timestamp":NOW,"payload":{"channel":"a"}}`},
	{"reconnect", hub.Reconnect{After: 1500*time.Millisecond + 1, Reason: "drain"}, `{"type":"reconnect","timestamp":NOW,"payload":{"after":1501,"reason":"drain"}}`},
	{"reconnect", hub.Reconnect{}, `{"type":"reconnect","timestamp":NOW,"payload":{"after":0}}`},
	{"connected", Connected{Connection: "c1", User: "ann", Heartbeat: 25 * time.Second}, `{"type":"connected","timestamp":NOW,"payload":{"version":1,"connection":"c1","user":"ann","heartbeat":25000}}`},
	{"connected", Connected{Connection: "c1"}, `{"type":"connected","timestamp":NOW,"payload":{"version":1,"connection":"c1","heartbeat":0}}`},
	{"connected", Connected{Connection: "c1", Secret: "n.c1.x"}, `{"type":"connected","timestamp":NOW,"payload":{"version":1,"connection":"c1","heartbeat":0,"secret":"n.c1.x"}}`},
	{"authenticated", Authenticated{ID: seven, User: "ann", Expires: accepted}, `{"type":"authenticated","id":7,"timestamp":NOW,"payload":{"user":"ann","expires":1700000000123}}`},
	{"authenticated", Authenticated{}, `{"type":"authenticated","timestamp":NOW,"payload":{}}`},
	{"subscribed", SubscribedReply{ID: seven, Channel: "a", Position: position}, `{"type":"subscribed","id":7,"timestamp":NOW,"payload":{"channel":"a","epoch":"k3v9x2m7","offset":17,"anchor":"9c1f03aa"}}`},
	{"subscribed", SubscribedReply{Channel: "a", Recovered: true}, `{"type":"subscribed","timestamp":NOW,"payload":{"channel":"a"}}`},
	{"subscribed", SubscribedReply{Channel: "a", Position: plain, Recover: true}, `{"type":"subscribed","timestamp":NOW,"payload":{"channel":"a","epoch":"k3v9x2m7","offset":0,"recovered":false}}`},
	{"subscribed", SubscribedReply{Channel: "chat:42", Position: position, Recover: true, Recovered: true, Messages: []*hub.Message{hello, bare}},
		`{"type":"subscribed","timestamp":NOW,"payload":{"channel":"chat:42","epoch":"k3v9x2m7","offset":17,"anchor":"9c1f03aa","recovered":true,"messages":[` +
			`{"timestamp":1700000000123,"offset":17,"anchor":"9c1f03aa","sender":"ann","event":"said","content":"hi"},{"timestamp":1700000000123,"content":{"a":[]}}]}}`},
	{"unsubscribed", UnsubscribedReply{ID: []byte(`"x"`), Channel: "a"}, `{"type":"unsubscribed","id":"x","timestamp":NOW,"payload":{"channel":"a"}}`},
	{"unsubscribed", UnsubscribedReply{Channel: "a", Cause: Errorf(Forbidden, "no <b>")}, `{"type":"unsubscribed","timestamp":NOW,"payload":{"channel":"a","code":"FORBIDDEN","message":"no <b>"}}`},
	{"ack", Ack{ID: seven, Channel: "a"}, `{"type":"ack","id":7,"timestamp":NOW,"payload":{"channel":"a"}}`},
	{"ack", Ack{ID: seven, Channel: "a", Published: hub.Published{Position: position, Duplicate: true, Degraded: true}}, `{"type":"ack","id":7,"timestamp":NOW,"payload":{"channel":"a","epoch":"k3v9x2m7","offset":17,"anchor":"9c1f03aa","duplicate":true,"degraded":true}}`},
	{"history", HistoryReply{ID: seven, Channel: "a"}, `{"type":"history","id":7,"timestamp":NOW,"payload":{"channel":"a","messages":[]}}`},
	{"history", HistoryReply{Channel: "a", Page: hub.HistoryPage{Messages: []*hub.Message{hello}, Top: position, Lost: true, More: true}},
		`{"type":"history","timestamp":NOW,"payload":{"channel":"a","epoch":"k3v9x2m7","offset":17,"anchor":"9c1f03aa","lost":true,"more":true,"messages":[` +
			`{"timestamp":1700000000123,"offset":17,"anchor":"9c1f03aa","sender":"ann","event":"said","content":"hi"}]}}`},
	{"pong", Pong{ID: seven}, `{"type":"pong","id":7,"timestamp":NOW,"payload":{}}`},
	{"error", ErrorReply{ID: seven, Err: &Error{Code: RateLimited, Message: "slow \"down\"", RetryAfter: 1500 * time.Microsecond}}, `{"type":"error","id":7,"timestamp":NOW,"payload":{"code":"RATE_LIMITED","message":"slow \"down\"","retryAfter":2}}`},
	{"error", ErrorReply{Err: Errorf(Internal, "internal error")}, `{"type":"error","timestamp":NOW,"payload":{"code":"INTERNAL","message":"internal error"}}`},
}

func TestWire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, c := range wire {
			want := strings.ReplaceAll(c.want, "NOW", now)
			if got := string(AppendEnvelope([]byte("before "), c.ev)); got != "before "+want {
				t.Errorf("%T:\n got %s\nwant %s", c.ev, got, want)
			}
			if name := EventName(c.ev); name != c.name {
				t.Errorf("%T has the name %s, want %s", c.ev, name, c.name)
			}
		}
	})
}

// Every name but that of plain messages must be closed to applications: a client
// could not tell the server's events from theirs.
func TestReservedNames(t *testing.T) {
	t.Parallel()
	for _, c := range wire {
		if name := EventName(c.ev); !Reserved(name) && c.ev != hub.Event(hello) && name != TypeMessage {
			t.Errorf("%s is not reserved", name)
		}
	}
	commands := map[string]bool{TypeMessage: true, TypeAuthenticate: true, TypeSubscribe: true, TypeUnsubscribe: true, TypeChange: true, TypeCall: true}
	for _, name := range constants(t, "envelope.go", "") {
		if !Reserved(name) && !commands[name] {
			t.Errorf("%s is not reserved", name)
		}
	}
}

// later is an event that this package knows nothing of.
type later struct{ Event }

func (later) AppendEnvelope(dst []byte) []byte { return append(dst, `{"type":"later"}`...) }

type named struct{ later }

func (named) EventName() string { return "named" }

func TestLaterEvents(t *testing.T) {
	t.Parallel()
	if got := string(AppendEnvelope(nil, later{})); got != `{"type":"later"}` || EventName(later{}) != "" {
		t.Errorf("%s %q", got, EventName(later{}))
	}
	if got := EventName(named{}); got != "named" {
		t.Error(got)
	}
	for _, ev := range []hub.Event{nil, "text", 7, &hub.Gap{}} {
		if got := AppendEnvelope([]byte("x"), ev); string(got) != "x" || EventName(ev) != "" {
			t.Errorf("%v: %s %q", ev, got, EventName(ev))
		}
	}
}

func TestMilliseconds(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]int64{0: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, 1<<63 - 1: 9223372036855} {
		if got := milliseconds(d); got != want {
			t.Errorf("%v: %d, want %d", d, got, want)
		}
	}
}

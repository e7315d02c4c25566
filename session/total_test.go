package session

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// shared is an open room that takes three messages from all of its publishers
// together, and two from each.
func shared(pattern string) policy.Room {
	r := open(pattern)[0]
	r.Rate, r.TotalRate = policy.Rate{PerSecond: 1, Burst: 2}, policy.Rate{PerSecond: 1, Burst: 3}
	return r
}

func (w *world) into(c Caller, channel, content string) *protocol.Error {
	_, e := w.registry.Publishing.Publish(w.t.Context(), c, protocol.Publish{Channel: channel, Content: []byte(content)})
	return e
}

func TestTotalRate(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{shared("shared:*")}, func(t *testing.T, w *world) {
		app, ann, bob := Caller{App: true}, Caller{Principal: named("ann")}, Caller{Principal: named("bob")}
		for range 10 { // which is not counted
			if e := w.into(app, "shared:1", `1`); e != nil {
				t.Fatal(e)
			}
		}
		for _, c := range []Caller{ann, ann, bob} {
			if e := w.into(c, "shared:1", `1`); e != nil {
				t.Errorf("%s: %v", c.User(), e)
			}
		}
		e := w.into(bob, "shared:1", `1`)
		if codeOf(e) != protocol.RateLimited || e.RetryAfter < time.Second || e.RetryAfter >= time.Second+totalSpread || !strings.Contains(e.Message, "all publishers") {
			t.Errorf("the fourth one: %+v", e)
		}
		if e := w.into(ann, "shared:2", `1`); e != nil {
			t.Errorf("another channel: %v", e)
		}
		if e := w.into(app, "shared:1", `1`); e != nil {
			t.Errorf("the app: %v", e)
		}
		time.Sleep(time.Second)
		// Bob has both of his tokens, because the refusal took none.
		if e := w.into(bob, "shared:1", `1`); e != nil {
			t.Error(e)
		}
		if e := w.into(ann, "shared:1", `1`); codeOf(e) != protocol.RateLimited {
			t.Errorf("one more than comes back in a second: %v", e)
		}
		room := shared("shared:*")
		room.TotalRate = policy.Rate{}
		w.rules(room)
		if e := w.into(bob, "shared:1", `1`); e != nil {
			t.Errorf("after the bound was lifted: %v", e)
		}
	})
}

// What a room refuses does not count for it, and to meet a full room is no offence.
func TestTotalRateIsForMessages(t *testing.T) {
	schema, err := policy.CompileSchema([]byte(`{"type":"string"}`))
	if err != nil {
		t.Fatal(err)
	}
	room := shared("shared")
	room.Rate, room.Schema = policy.Rate{}, schema
	inBubble(t, Limits{}, []policy.Room{room}, func(t *testing.T, w *world) {
		eve, ann := w.connect("eve"), w.connect("ann")
		say := func(c *client, content string) string {
			c.say(`{"type":"message","id":1,"payload":{"channel":"shared","content":` + content + `}}`)
			synctest.Wait()
			return strings.Join(c.wire.take(), "")
		}
		for range 3 * maxViolations {
			if got := say(eve, `7`); !strings.Contains(got, string(protocol.SchemaViolation)) {
				t.Fatal(got)
			}
		}
		for range 3 {
			if got := say(ann, `"x"`); !strings.Contains(got, `"ack"`) {
				t.Fatal(got)
			}
		}
		for range 3 * maxViolations {
			if got := say(eve, `"x"`); !strings.Contains(got, string(protocol.RateLimited)) {
				t.Fatal(got)
			}
		}
		if len(eve.reasons) > 0 {
			t.Errorf("ended with %v", eve.reasons)
		}
	})
}

// Messages and changes of the document share one bound.
func TestTotalRateCountsChanges(t *testing.T) {
	room := desk(document.Options{})
	room.TotalRate = policy.Rate{PerSecond: 1, Burst: 2}
	atDesk(t, []policy.Room{room}, func(t *testing.T, w *world, _ *stubborn) {
		amend := func(c Caller) protocol.Code {
			_, e := w.registry.Documents.Amend(t.Context(), c, Proposal{Channel: "doc", Latest: true, Patch: []byte(`{"a":1}`)})
			return codeOf(e)
		}
		ann := Caller{Principal: named("ann")}
		got := []protocol.Code{amend(Caller{App: true}), amend(ann), codeOf(w.into(ann, "doc", `1`)), amend(ann), codeOf(w.into(ann, "doc", `1`)), amend(Caller{App: true})}
		want := []protocol.Code{"", "", "", protocol.RateLimited, protocol.RateLimited, ""}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q, want %q", got, want)
				break
			}
		}
	})
}

package session

import (
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestContentRules(t *testing.T) {
	schema, err := policy.CompileSchema([]byte(`{"type":"string","minLength":1}`))
	if err != nil {
		t.Fatal(err)
	}
	room := kept("strict", 10)
	room.Schema, room.Sanitize, room.Rate = schema, policy.SanitizeText, policy.Rate{PerSecond: 1, Burst: 2}
	inBubble(t, Limits{}, []policy.Room{room}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		into := func(content string) string {
			return `{"type":"message","id":1,"payload":{"channel":"strict","content":` + content + `}}`
		}
		c.say(into(`7`), into(`"<b>hi</b>"`), into(`"again"`))
		// What breaks the schema costs a token, as it costs the server work.
		c.hears(failure("1", protocol.SchemaViolation), `{"type":"ack","id":1,"payload":{"channel":"strict","offset":1}}`, limited("1", 1000))
		for range 2 * maxViolations { // no offence
			time.Sleep(time.Second)
			c.say(into(`7`))
			c.hears(failure("1", protocol.SchemaViolation))
		}
		for validate, want := range map[bool]protocol.Code{false: "", true: protocol.SchemaViolation} {
			p := protocol.Publish{Channel: "strict", Content: []byte(`7`)}
			if _, e := w.registry.Publishing.Publish(t.Context(), Caller{App: true, Validate: validate}, p); codeOf(e) != want {
				t.Errorf("validate %v: %v", validate, e)
			}
		}
		page, err := w.hub.History(t.Context(), "strict", hub.HistoryQuery{Limit: 10})
		if err != nil || len(page.Messages) != 2 || string(page.Messages[0].Content) != `"hi"` || string(page.Messages[1].Content) != `7` {
			t.Errorf("%v, %v", page.Messages, err)
		}
	})
}

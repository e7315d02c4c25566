package attacks

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// attackChannels use names that mean something to a store, a log or a reader.
func attackChannels(w *world) (rows []attack) {
	for _, name := range []string{
		"", "open:", " open:1", "open:1 ", "open:*", "open:?", "open:[a-z]", "open:{1}", `open:\1`,
		"open:\x00", "open:\n1", "open:\r\nPUBLISH x", "open:\x1b[31m", "open:\u0085", "open:\u2028", "open:\u202e1", "open:\u200f",
		"open:" + strings.Repeat("x", 251),
	} {
		expect := "INVALID_CHANNEL"
		if name == "open:" {
			expect = "FORBIDDEN" // a name, but of no room
		}
		rows = append(rows, attack{fmt.Sprintf("subscribe to %.24q", name), expect, func(t *testing.T) string {
			return w.site.connect(t).ask(t, "subscribe", `{"channel":`+quoted(name)+`}`).outcome()
		}})
	}
	for _, name := range []string{"open:$1", "open:'; FLUSHALL", "open:__proto__", "open:../../etc", "open:%2e%2e", "open:a b", "open:a/b#c?", "open:{"} {
		expect := "its own message"
		if strings.ContainsAny(name, "?{") {
			expect = "INVALID_CHANNEL"
		}
		rows = append(rows, attack{fmt.Sprintf("a message through %q", name), expect, func(t *testing.T) string { return echo(t, w.site, name) }})
	}
	return append(rows, attack{"names that differ in case or form are other channels", "nothing came over", func(t *testing.T) string {
		c := w.site.connect(t)
		c.ask(t, "subscribe", `{"channel":"open:\u00e9"}`)
		for _, other := range []string{"open:E\\u0301", "open:e\\u0301", "OPEN:\\u00e9", "open:%C3%A9", "open:\\u00c9"} {
			c.ask(t, "message", `{"channel":"`+other+`","content":"stray"}`)
		}
		c.ask(t, "message", `{"channel":"open:\u00e9","content":"last"}`)
		page := w.site.send(t, request{"GET", "/rt/channels/open:%C3%A9/messages", nil, ""})
		if strings.Contains(page.body, "stray") {
			return page.body
		}
		return "nothing came over"
	}})
}

// echo subscribes to a channel and gives what comes back of a message there.
func echo(t *testing.T, s target, name string) string {
	t.Helper()
	c := s.connect(t)
	if ev := c.ask(t, "subscribe", `{"channel":`+quoted(name)+`}`); ev.Type != "subscribed" {
		return ev.outcome()
	}
	c.say(t, `{"type":"message","payload":{"channel":`+quoted(name)+`,"content":"ping"}}`)
	ev, err := c.next()
	switch {
	case err != nil:
		return err.Error()
	case ev.Type != "message" || ev.Payload.Channel != name || string(ev.Payload.Content) != `"ping"`:
		return fmt.Sprintf("%+v", ev)
	}
	return "its own message"
}

// quoted is s as a JSON string.
func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // never: it is a string
	}
	return string(text)
}

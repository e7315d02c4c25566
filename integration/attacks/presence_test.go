package attacks

import (
	"fmt"
	"strings"
	"testing"
)

// attackPresence say of a member what it is not, or too much.
func attackPresence(w *world) (rows []attack) {
	for _, p := range []struct{ name, expect, said string }{
		{"info of 1,025 bytes", "INVALID_MESSAGE", `"info":{"a":"` + strings.Repeat("x", 1017) + `"}`},
		{"info of 60 KiB", "INVALID_MESSAGE", `"info":{"a":"` + strings.Repeat("x", 60<<10) + `"}`},
		{"info nested 70 deep", "INVALID_MESSAGE", `"info":` + strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70)},
		{"info that is a list", "INVALID_MESSAGE", `"info":[1]`},
		{"info that is a text", "INVALID_MESSAGE", `"info":"{}"`},
		{"info twice", "INVALID_MESSAGE", `"info":{},"info":{}`},
		{"status offline", "INVALID_MESSAGE", `"status":"offline"`},
		{"status of 33 bytes", "INVALID_MESSAGE", `"status":"` + strings.Repeat("x", 33) + `"`},
		{"status with a line break", "INVALID_MESSAGE", `"status":"a\nb"`},
		{"status with a change of direction", "INVALID_MESSAGE", `"status":"\u202e"`},
		{"status that is an object", "INVALID_MESSAGE", `"status":{}`},
	} {
		rows = append(rows, attack{p.name, p.expect, func(t *testing.T) string {
			return w.site.connect(t).ask(t, "subscribe", `{"channel":"lobby:1",`+p.said+`}`).outcome()
		}})
		if p.expect != "INVALID_MESSAGE" {
			continue
		}
		rows = append(rows, attack{p.name + ", later", p.expect, func(t *testing.T) string {
			c := w.site.connect(t)
			c.ask(t, "subscribe", `{"channel":"lobby:1"}`)
			return c.ask(t, "presence", `{"channel":"lobby:1",`+p.said+`}`).outcome()
		}})
	}
	return append(rows,
		attack{"info that forges status, lastSeen and another member", "shown as mallory's own, without them", func(t *testing.T) string {
			return forgeMember(t, w.site)
		}},
		attack{"presence of a channel one is not in", "NOT_SUBSCRIBED", func(t *testing.T) string {
			return w.site.connect(t).ask(t, "presence", `{"channel":"lobby:1","status":"away"}`).outcome()
		}},
		attack{"presence of somebody else", "alice is not there", func(t *testing.T) string {
			c := w.site.connect(t, "X-User: bob")
			c.ask(t, "subscribe", `{"channel":"lobby:3","user":"alice","info":{"id":"alice","user":"alice"}}`)
			if body := w.site.members(t, "lobby:3"); strings.Contains(body, `"id":"alice","status"`) || !strings.Contains(body, `"id":"bob"`) {
				return body
			}
			return "alice is not there"
		}},
	)
}

// forgeMember has names that stand beside the info's own, also spelled in another
// way, and text that would end the object.
func forgeMember(t *testing.T, s target) string {
	c := s.connect(t, "X-User: mallory")
	ev := c.ask(t, "subscribe", `{"channel":"lobby:2","info":{"status":"admin","\u0073tatus":"admin","lastSeen":1,"last\u0053een":1,"x":"\"}},\"admin\":{\"status\":\"admin"}}`)
	if ev.Type != "subscribed" {
		return ev.outcome()
	}
	body := s.members(t, "lobby:2")
	const want = `{"members":[{"id":"mallory","status":"online","info":{"x":"\"}},\"admin\":{\"status\":\"admin"}}],"more":false,"count":1}`
	if body != want {
		return fmt.Sprintf("shown as %s", body)
	}
	return "shown as mallory's own, without them"
}

// members is who is in a channel, as the app sees it: that somebody entered shows a
// moment later.
func (s target) members(t *testing.T, channel string) (body string) {
	t.Helper()
	until(func() bool {
		body = s.send(t, request{"GET", "/rt/channels/" + channel + "/presence", []string{bearer(appKey)}, ""}).body
		return !strings.Contains(body, `"count":0`)
	})
	return body
}

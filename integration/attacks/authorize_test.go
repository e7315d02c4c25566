package attacks

import (
	"strings"
	"testing"
)

// attackAuthorize forge what the app is asked, where the app decides. It knows the
// users by their cookies.
func attackAuthorize(w *world) (rows []attack) {
	for _, v := range []struct {
		name, expect string
		header       []string
	}{
		{"no cookie", "403 FORBIDDEN", nil},
		{"the cookie of alice", "user alice", []string{"Cookie: session=alice"}},
		{"no cookie right after her", "403 FORBIDDEN", nil},
		{"X-Realtime-User of the client", "403 FORBIDDEN", []string{"X-Realtime-User: alice", "X-Realtime-Action: connect"}},
		{"X-Realtime-User named hop-by-hop", "403 FORBIDDEN", []string{"X-Realtime-User: alice", "Connection: X-Realtime-User"}},
		{"X-Forwarded-For of the client", "403 FORBIDDEN", []string{"X-Forwarded-For: 10.0.0.1"}},
		{"the app fails", "503 UNAVAILABLE", []string{"Cookie: session=broken"}},
		{"the app redirects", "403 FORBIDDEN", []string{"Cookie: session=moved"}},
		{"the app says what can not be read", "503 UNAVAILABLE", []string{"Cookie: session=garbled"}},
		{"the app names a user with control characters", "503 UNAVAILABLE", []string{"Cookie: session=control"}},
	} {
		rows = append(rows, attack{v.name, v.expect, func(t *testing.T) string { return w.asked.who(t, v.header...) }})
	}
	for _, v := range []struct{ channel, expect string }{
		{"open", "ack"},
		{"x/../../admin", "FORBIDDEN"},
		{"../admin", "FORBIDDEN"},
		{"..", "INVALID_CHANNEL"},
		{"%2e%2e/admin", "FORBIDDEN"},
		{"..%2fadmin", "FORBIDDEN"},
		{"open#x", "FORBIDDEN"},
		{"open%3Fx", "FORBIDDEN"},
		{"open/", "FORBIDDEN"},
		{"open;x", "FORBIDDEN"},
		{"öpen", "FORBIDDEN"},
	} {
		rows = append(rows, attack{"a question at the path of its channel, " + v.channel, v.expect, func(t *testing.T) string {
			return w.pathed.connect(t).ask(t, "message", `{"channel":"`+v.channel+`","content":1}`).outcome()
		}})
	}
	return append(rows, attack{"a channel that reads like another question", "403 FORBIDDEN", func(t *testing.T) string {
		channel := "secret%26channel=open%26user=alice%23"
		return w.asked.send(t, post(channel, `{"content":1}`, jsonType, "Cookie: session=alice")).String()
	}}, attack{"a channel the app allows", "200", func(t *testing.T) string {
		return w.asked.send(t, post("open", `{"content":1}`, jsonType, "Cookie: session=alice")).String()
	}})
}

// attackOrders are what only the app may tell the server to do.
func attackOrders(w *world) (rows []attack) {
	for _, r := range []request{
		{"DELETE", "/rt/users/alice/connections", nil, ""},
		{"DELETE", "/rt/connections/x", nil, ""},
		{"POST", "/rt/revocations", []string{jsonType}, `{"user":"alice"}`},
		{"GET", "/rt/channels", nil, ""},
	} {
		name := r.method + " " + strings.TrimPrefix(r.path, "/rt")
		rows = append(rows,
			attack{name + " by nobody", "401 UNAUTHORIZED", func(t *testing.T) string { return w.site.send(t, r).String() }},
			attack{name + " by that user", "403 FORBIDDEN", func(t *testing.T) string {
				return w.site.send(t, request{r.method, r.path, append(r.header, "X-User: alice"), r.body}).String()
			}},
			attack{name + " with the key in the query", "401 UNAUTHORIZED", func(t *testing.T) string {
				return w.site.send(t, r.at(r.path+"?api_key="+appKey)).String()
			}},
		)
	}
	return rows
}

package attacks

import (
	"fmt"
	"strings"
	"testing"
)

// attackIdentity sends headers that name a user where a header says who is calling.
func attackIdentity(w *world) (rows []attack) {
	who := func(s target, header ...string) func(*testing.T) string {
		return func(t *testing.T) string { return s.who(t, header...) }
	}
	for _, v := range []struct {
		name   string
		header []string
		// What each kind of site makes of it.
		believing, stripped, forwarded string
	}{
		{"Remote-User", []string{"Remote-User: admin"}, "user admin", "anonymous", "anonymous"},
		{"in lower case", []string{"remote-user: admin"}, "user admin", "anonymous", "anonymous"},
		{"twice", []string{"Remote-User: admin", "REMOTE-USER: root"}, "user admin,root", "anonymous", "anonymous"},
		{"with an underscore", []string{"Remote_User: admin"}, "anonymous", "anonymous", "anonymous"},
		{"with white space before the colon", []string{"Remote-User : admin"}, "400", "400", "400"},
		{"folded", []string{"X: 1", " Remote-User: admin"}, "anonymous", "anonymous", "anonymous"},
		{"with a tab before the value", []string{"Remote-User:\tadmin"}, "user admin", "anonymous", "anonymous"},
		{"behind a bare line feed", []string{"X: 1\nRemote-User: admin"}, "user admin", "anonymous", "anonymous"},
		{"behind a bare carriage return", []string{"X: 1\rRemote-User: admin"}, "400", "400", "400"},
		{"named hop-by-hop", []string{"Remote-User: admin", "Connection: Remote-User"}, "user admin", "anonymous", "anonymous"},
		{"as a trailer", []string{"Trailer: Remote-User", "Remote_User: admin"}, "anonymous", "anonymous", "anonymous"},
		{"empty", []string{"Remote-User:"}, "anonymous", "anonymous", "anonymous"},
		{"with a placeholder", []string{"Remote-User: {env.REALTIME_TEST_KEY}"}, "user {env.REALTIME_TEST_KEY}", "anonymous", "anonymous"},
	} {
		rows = append(rows,
			attack{"header " + v.name + ", nothing before it (unsafe)", v.believing, who(w.believing, v.header...)},
			attack{"header " + v.name + ", behind request_header -Remote-User", v.stripped, who(w.stripped, v.header...)},
			attack{"header " + v.name + ", behind forward_auth that names nobody", v.forwarded, who(w.forwarded, v.header...)},
		)
		if v.believing != "400" {
			rows = append(rows, attack{"header " + v.name + ", behind forward_auth that says alice", "user alice",
				who(w.forwarded, append(v.header, "X-Session: alice")...)})
		}
	}
	return append(rows, attackUserIDs(w)...)
}

// attackUserIDs has users with ids that mean something elsewhere. Each tries the
// inbox of somebody else, and of its own.
func attackUserIDs(w *world) (rows []attack) {
	for _, id := range []struct{ user, channel, expect string }{
		{"*", "inbox:alice", "403 FORBIDDEN"},
		{"*", "inbox:*", "400 INVALID_CHANNEL"},
		{"*", "inbox:%252A", "200"},
		{"alice", "inbox:*", "400 INVALID_CHANNEL"},
		{"alice", "inbox:[a]lice", "400 INVALID_CHANNEL"},
		{"alice", "inbox:{user}", "400 INVALID_CHANNEL"},
		{"alice", "inbox:ALICE", "403 FORBIDDEN"},
		{"alice", "inbox:alice%20", "400 INVALID_CHANNEL"},
		{"alice", "inbox:alice%00", "400 INVALID_CHANNEL"},
		{"alice", "inbox:alice%E2%80%AE", "400 INVALID_CHANNEL"},
		{"alice", "inbox:al%CC%81ice", "403 FORBIDDEN"},
		{"alice", "inbox:%D0%B0lice", "403 FORBIDDEN"},
		{"alice", "inbox:alice:bob", "403 FORBIDDEN"},
		{"alice", "inbox:bob:alice", "403 FORBIDDEN"},
		{"alice", "inbox:%2561lice", "200"},
		{"{user}", "inbox:alice", "403 FORBIDDEN"},
		{"a:b", "inbox:a:b", "403 FORBIDDEN"},
		{"a:b", "inbox:a", "403 FORBIDDEN"},
		{"a:b", "inbox:a%253Ab", "200"},
		{"a%3Ab", "inbox:a:b", "403 FORBIDDEN"},
		{"a%3Ab", "inbox:a%253Ab", "403 FORBIDDEN"},
		{"a%3Ab", "inbox:a%25253Ab", "200"},
		{"100%", "inbox:100%25", "200"},
		{"../alice", "inbox:alice", "403 FORBIDDEN"},
		{"?", "inbox:a", "403 FORBIDDEN"},
		{"alice,bob", "inbox:alice", "403 FORBIDDEN"},
		{"al\tice", "inbox:alice", "401 UNAUTHORIZED"},
		{"al\x01ice", "inbox:alice", "400"},
		{"al\x7fice", "inbox:alice", "400"},
		{"al\xc2\x85ice", "inbox:alice", "401 UNAUTHORIZED"},
		{"al\xffice", "inbox:alice", "401 UNAUTHORIZED"},
		{strings.Repeat("a", 256), "inbox:alice", "401 UNAUTHORIZED"},
		{"", "inbox:", "403 FORBIDDEN"},
		{"", "inbox:alice", "401 UNAUTHORIZED"},
	} {
		name := fmt.Sprintf("user %.20q writes to %s", id.user, id.channel)
		rows = append(rows, attack{name, id.expect, func(t *testing.T) string {
			return w.site.send(t, post(id.channel, `{"content":1}`, jsonType, "X-User: "+id.user)).String()
		}})
	}
	return rows
}

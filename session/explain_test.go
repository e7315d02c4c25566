package session

import (
	"slices"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// An explanation names the rule that decides, in a sentence for people.
func TestExplain(t *testing.T) {
	rooms := []policy.Room{
		{Pattern: "inbox:{user}", Subscribe: policy.Users},
		{Pattern: "chat:*", Subscribe: policy.Anyone, Publish: policy.Users, PatternAccess: policy.Anyone},
	}
	inRealm(t, Realm{}, rooms, func(t *testing.T, w *world) {
		v := verifier(t, auth.Config{Keys: auth.Keys{Secrets: [][]byte{secret}}})
		apply := func(r Realm) {
			c := w.config
			c.Realms = map[string]Realm{site: r, "the other name of " + site: r, "plain": {}}
			w.apply(c)
		}
		valid, expired := token(t, claims("ann")), token(t, claims("ann", map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}))
		nobody := token(t, map[string]any{"exp": time.Now().Add(time.Hour).Unix()})
		for _, c := range []struct {
			name  string
			realm Realm
			query ExplainQuery
			rule  policy.Rule
			code  protocol.Code
			asked string
			text  string
		}{
			{"anonymous", Realm{Verifier: v}, ExplainQuery{Channel: "chat:1", Word: "subscribe"}, policy.RuleAllowed, "", "",
				"An anonymous client may subscribe to chat:1. The block 'room chat:*' (number 2 of 2) says 'anyone' for subscribe."},
			{"anonymous publisher", Realm{Verifier: v}, ExplainQuery{Channel: "chat:1", Action: policy.Publish, Word: "publish"}, policy.RuleAccess, protocol.Unauthorized, "",
				"An anonymous client may not publish to chat:1. The block 'room chat:*' (number 2 of 2) says 'users' for publish, and the client is anonymous."},
			{"user", Realm{Verifier: v}, ExplainQuery{Channel: "inbox:ann", Word: "subscribe", User: "ann"}, policy.RuleAllowed, "", "",
				"ann may subscribe to inbox:ann. The block 'room inbox:{user}' (number 1 of 2) says 'users' for subscribe."},
			{"pattern", Realm{Verifier: v}, ExplainQuery{Channel: "chat:*", Word: "subscribe"}, policy.RuleAllowed, "", "",
				"An anonymous client may subscribe to chat:*. The block 'room chat:*' (number 2 of 2) says 'anyone' for subscribe_pattern."},
			{"token", Realm{Verifier: v}, ExplainQuery{Channel: "inbox:ann", Word: "subscribe", Token: valid}, policy.RuleAllowed, "", "",
				"ann may subscribe to inbox:ann. The block 'room inbox:{user}' (number 1 of 2) says 'users' for subscribe."},
			{"token without a user", Realm{Verifier: v}, ExplainQuery{Channel: "chat:1", Word: "subscribe", Token: nobody}, policy.RuleAllowed, "", "",
				"The client with this token may subscribe to chat:1. The block 'room chat:*' (number 2 of 2) says 'anyone' for subscribe."},
			{"expired", Realm{Verifier: v}, ExplainQuery{Channel: "inbox:ann", Word: "subscribe", Token: expired}, ruleToken, protocol.Unauthorized, "",
				"The client with this token may not subscribe to inbox:ann. The token does not count: it has expired."},
			{"no tokens", Realm{Required: true}, ExplainQuery{Channel: "inbox:ann", Word: "subscribe", Token: valid}, ruleToken, protocol.Unauthorized, "",
				"The client with this token may not subscribe to inbox:ann. The token does not count: the path takes no tokens."},
			{"must authenticate", Realm{Verifier: v, Required: true}, ExplainQuery{Channel: "chat:1", Word: "subscribe"}, ruleMustAuthenticate, protocol.Unauthorized, "",
				"An anonymous client may not subscribe to chat:1. The block 'token' says 'required'."},
			{"another path", Realm{Verifier: v, Required: true}, ExplainQuery{Channel: "chat:1", Word: "subscribe", Realm: "plain"}, policy.RuleAllowed, "", "",
				"An anonymous client may subscribe to chat:1. The block 'room chat:*' (number 2 of 2) says 'anyone' for subscribe."},
			{"asked", Realm{Authorize: new(boss), Ask: auth.Publish}, ExplainQuery{Channel: "chat:1", Action: policy.Publish, Word: "publish", User: "ann"}, policy.RuleAllowed, "", "publish",
				"ann may publish to chat:1. The block 'room chat:*' (number 2 of 2) says 'users' for publish. The app is asked as well (authorize publish), and may still forbid it."},
			{"not asked about this", Realm{Authorize: new(boss), Ask: auth.Publish}, ExplainQuery{Channel: "chat:1", Word: "subscribe", User: "ann"}, policy.RuleAllowed, "", "",
				"ann may subscribe to chat:1. The block 'room chat:*' (number 2 of 2) says 'anyone' for subscribe."},
			{"asked about members", Realm{Authorize: new(boss), Ask: auth.Subscribe}, ExplainQuery{Channel: "chat:1", Action: policy.Presence, Word: "presence", User: "ann"}, policy.RuleAllowed, "", "subscribe",
				"ann may see the members of chat:1. The block 'room chat:*' (number 2 of 2) says 'anyone' for presence. The app is asked as well (authorize subscribe), and may still forbid it."},
		} {
			apply(c.realm)
			x := w.registry.Explain(t.Context(), c.query)
			asked := ""
			if x.Authorize != nil {
				if asked = x.Authorize.What; !x.Authorize.Asked || x.Authorize.Realm != site {
					t.Errorf("%s: %+v", c.name, x.Authorize)
				}
			}
			if x.Rule != c.rule || x.Code != c.code || x.Allowed != (c.code == "") || asked != c.asked || x.Text != c.text {
				t.Errorf("%s: rule %q, code %q, asked %q\n got %s\nwant %s", c.name, x.Rule, x.Code, asked, x.Text, c.text)
			}
			if isPattern := protocol.IsPattern(c.query.Channel); (x.Pattern != "") != isPattern || (x.Channel != "") == isPattern {
				t.Errorf("%s: channel %q, pattern %q", c.name, x.Channel, x.Pattern)
			}
		}
	})
}

// What is explained of a token is what it says.
func TestExplainedCaller(t *testing.T) {
	inRealm(t, Realm{}, open("*"), func(t *testing.T, w *world) {
		v := verifier(t, auth.Config{Keys: auth.Keys{Secrets: [][]byte{secret}}})
		w.withRealm(Realm{Verifier: v})
		now := time.Now()
		granted := claims("ann", map[string]any{"channels": []any{map[string]any{"pattern": "a:*", "allow": []string{"subscribe", "publish"}}}})
		x := w.registry.Explain(t.Context(), ExplainQuery{Channel: "a", Word: "subscribe", Token: token(t, granted)})
		if x.Caller.Kind != "token" || x.Caller.User != "ann" || x.Caller.Expires != now.Add(time.Hour+leeway).UnixMilli() {
			t.Errorf("%+v", x.Caller)
		}
		if len(x.Caller.Grants) != 1 || x.Caller.Grants[0].Pattern != "a:*" || !slices.Equal(x.Caller.Grants[0].Allow, []string{"subscribe", "publish"}) {
			t.Errorf("%+v", x.Caller.Grants)
		}
		for kind, q := range map[string]ExplainQuery{"user": {User: "ann"}, "anonymous": {}} {
			q.Channel, q.Word = "a", "subscribe"
			if x := w.registry.Explain(t.Context(), q); x.Caller.Kind != kind || x.Caller.User != q.User || x.Caller.Expires != 0 {
				t.Errorf("%s: %+v", kind, x.Caller)
			}
		}
	})
}

func TestRealms(t *testing.T) {
	inBubble(t, Limits{}, open("*"), func(t *testing.T, w *world) {
		c := w.config
		c.Realms = map[string]Realm{"/b": {}, "/a": {}, "open /a": {}}
		w.apply(c)
		for name, want := range map[string]bool{"": true, "/a": true, "open /a": true, "/c": false} {
			if exists, paths := w.registry.Realms(name); exists != want || !slices.Equal(paths, []string{"/a", "/b"}) {
				t.Errorf("%q: %v, %v", name, exists, paths)
			}
		}
	})
}

// A sentence begins with a capital letter, if its first letter has one.
func TestSentencesBeginWithACapitalLetter(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{"": "", "a": "A", "zoo": "Zoo", "`a": "`a", "{a": "{a", "A": "A", "ä": "ä"} {
		if got := upper(s); got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
}

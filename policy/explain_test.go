package policy

import (
	"strings"
	"testing"
)

// An explanation agrees with the decision, and names the rule.
func TestExplain(t *testing.T) {
	p, err := Compile([]Room{
		{Pattern: "inbox:{user}", Subscribe: Users},
		{Pattern: "team:{claim.team}:*", Subscribe: Users},
		{Pattern: "chat:*", Subscribe: Anyone, Publish: Granted},
	})
	if err != nil {
		t.Fatal(err)
	}
	grants, err := CompileGrants([]Grant{{Pattern: "chat:*:x", Allow: []string{"publish"}}})
	if err != nil {
		t.Fatal(err)
	}
	ann, granted, anonymous := &Subject{User: "ann"}, &Subject{Grants: grants}, &Subject{}
	for _, tt := range []struct {
		a       Action
		s       *Subject
		channel string
		rule    Rule
		place   int
	}{
		{Subscribe, ann, "a\x00", RuleChannelName, 0},
		{Subscribe, ann, "news", RuleNoRoom, 0},
		{Subscribe, ann, "inbox:ann", RuleAllowed, 1},
		{Subscribe, ann, "inbox:bob", RulePlaceholder, 1},
		{Subscribe, anonymous, "inbox:bob", RuleAccess, 1},
		{Publish, ann, "inbox:ann", RuleAccess, 1},
		{Subscribe, ann, "team:red:1", RulePlaceholder, 2},
		{Subscribe, anonymous, "chat:1:x", RuleAllowed, 3},
		{Publish, ann, "chat:1:x", RuleGrant, 3},
		{Publish, granted, "chat:1:x", RuleAllowed, 3},
	} {
		d := p.Explain(tt.a, tt.s, tt.channel)
		allowed := p.Match(tt.channel).Allow(tt.a, tt.s, tt.channel) == nil
		if d.Rule != tt.rule || (d.Err == nil) != (d.Rule == RuleAllowed) || tt.rule != RuleChannelName && allowed != (d.Err == nil) {
			t.Errorf("%s: %+v, want %s", tt.channel, d, tt.rule)
		}
		if place := 0; d.Room != nil && d.Room.Place != tt.place || d.Room == nil && tt.place != place {
			t.Errorf("%s: %+v, want block %d", tt.channel, d.Room, tt.place)
		}
		if d.Room != nil && (len(d.Skipped) != tt.place-1 || !strings.Contains(d.Because, d.Room.Pattern)) {
			t.Errorf("%s: %q, skipped %v", tt.channel, d.Because, d.Skipped)
		}
	}
	if g := grants.List(); len(g) != 1 || g[0].Pattern != "chat:*:x" || g[0].Allow[0] != "publish" {
		t.Errorf("%+v", g)
	}
}

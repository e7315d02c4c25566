package policy

import (
	"strings"
	"testing"
)

// An explanation of a pattern agrees with the decision, and names the block that decides.
func TestExplainPattern(t *testing.T) {
	rooms := []Room{
		{Pattern: "inbox:{user}", Subscribe: Users},
		{Pattern: "orders:vip", Subscribe: Users},
		{Pattern: "orders:*", Subscribe: Users, PatternAccess: Users},
		{Pattern: "log:*", Subscribe: Granted, PatternAccess: Granted},
		{Pattern: "chat:*", Subscribe: Anyone},
		{Pattern: "feed:*", Subscribe: Anyone, PatternAccess: Anyone},
	}
	p, err := Compile(rooms)
	if err != nil {
		t.Fatal(err)
	}
	grants, err := CompileGrants([]Grant{{Pattern: "log:eu:*", Allow: []string{"subscribe"}}})
	if err != nil {
		t.Fatal(err)
	}
	ann, granted, anonymous := &Subject{User: "ann"}, &Subject{Grants: grants}, &Subject{}
	for _, tt := range []struct {
		s       *Subject
		pattern string
		rule    Rule
		room    string // that has the whole pattern
		forbids string
	}{
		{ann, "a*b", RulePatternName, "", ""},
		{ann, "orders:1", RulePatternName, "", ""},
		{ann, "orders:{user}:*", RulePatternName, "", ""},
		{ann, "news:*", RuleNoRoom, "", ""},
		{ann, "inbox:*", RulePlaceholder, "", "inbox:{user}"},
		{ann, "*", RulePlaceholder, "", "inbox:{user}"},
		{ann, "orders:*", RuleSeveralRooms, "", "orders:vip"},
		{ann, "orders:eu:*", RuleAllowed, "orders:*", ""},
		{anonymous, "orders:eu:*", RuleAccess, "orders:*", "orders:*"},
		{ann, "log:*", RuleGrant, "log:*", "log:*"},
		{granted, "log:*", RuleGrant, "log:*", "log:*"},
		{granted, "log:eu:*", RuleAllowed, "log:*", ""},
		{ann, "chat:*", RuleAccess, "chat:*", "chat:*"},
		{anonymous, "feed:*", RuleAllowed, "feed:*", ""},
	} {
		d := p.ExplainPattern(tt.s, tt.pattern)
		room, forbids := "", ""
		if d.Room != nil {
			room = d.Room.Pattern
			if rooms[d.Room.Place-1].Pattern != room || d.Room.Of != len(rooms) {
				t.Errorf("%s: the block is at %d of %d", tt.pattern, d.Room.Place, d.Room.Of)
			}
		}
		if d.Forbids != nil {
			forbids = d.Forbids.Pattern
			if rooms[d.Forbids.Place-1].Pattern != forbids {
				t.Errorf("%s: the block that forbids is at %d", tt.pattern, d.Forbids.Place)
			}
		}
		if d.Rule != tt.rule || room != tt.room || forbids != tt.forbids {
			t.Errorf("%s: %s in %q, forbidden by %q: %s", tt.pattern, d.Rule, room, forbids, d.Because)
		}
		span, e := p.Span(tt.pattern)
		if e == nil {
			e = span.Allow(tt.s)
		}
		if (e == nil) != (d.Err == nil) || (d.Err == nil) != (d.Rule == RuleAllowed) || e != nil && e.Code != d.Err.Code {
			t.Errorf("%s: explained as %v, decided as %v", tt.pattern, d.Err, e)
		}
		if block := room + forbids; block != "" && !strings.Contains(d.Because, "'room "+max(room, forbids)+"'") {
			t.Errorf("%s: %s", tt.pattern, d.Because)
		}
	}
	if d := (*Policy)(nil).ExplainPattern(ann, "a:*"); d.Rule != RuleNoRoom || d.Err == nil {
		t.Errorf("without blocks: %+v", d)
	}
}

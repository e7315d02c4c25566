package policy

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// patterns makes a policy of blocks that have nothing but a pattern.
func patterns(texts ...string) []Room {
	rooms := make([]Room, len(texts))
	for i, t := range texts {
		rooms[i].Pattern = t
	}
	return rooms
}

func compile(t testing.TB, rooms ...Room) *Policy {
	t.Helper()
	p, err := Compile(rooms)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMatchTakesTheFirstBlock(t *testing.T) {
	t.Parallel()
	p := compile(t, patterns("chat:lobby", "chat:*:typing", "inbox:{user}", "inbox:*", "chat:*", "doc:{user}:*", "team:{claim.team}:x")...)
	for channel, want := range map[string]string{
		"chat:lobby":        "chat:lobby",
		"chat:lobby:typing": "chat:*:typing",
		"chat:1:2:typing":   "chat:*",
		"chat:1":            "chat:*",
		"chat::":            "chat:*",
		"chat::typing":      "chat:*",
		"inbox:ann":         "inbox:{user}",
		"inbox:ann:old":     "inbox:*",
		"doc:ann:1":         "doc:{user}:*",
		"doc:ann":           "",
		"doc::1":            "",
		"chat":              "",
		"chat:":             "",
		"team:red:x":        "team:{claim.team}:x",
		"team::x":           "",
		"chatter:1":         "",
		"other":             "",
		"":                  "",
	} {
		got := ""
		if r := p.Match(channel); r != nil {
			got = r.Pattern
		}
		if got != want {
			t.Errorf("Match(%q) is block %q, want %q", channel, got, want)
		}
	}
}

func TestStarAloneMatchesEverything(t *testing.T) {
	t.Parallel()
	p := compile(t, patterns("*")...)
	for _, channel := range []string{"a", "a:b", ":", "a::b", "ü"} {
		if p.Match(channel) == nil {
			t.Errorf("%q is not matched", channel)
		}
	}
}

func TestNilPolicyMatchesNothing(t *testing.T) {
	t.Parallel()
	var p *Policy
	if p.Match("a") != nil || p.Options("a") != (hub.RoomOptions{}) {
		t.Error("a nil policy gave something")
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		rooms []Room
		want  []string // words of the error
	}{
		"empty":              {patterns(""), []string{`room ""`, "the pattern is empty"}},
		"empty segment":      {patterns("a::b"), []string{`"a::b"`, "a segment is empty"}},
		"colon at the end":   {patterns("a:"), []string{"a segment is empty"}},
		"colon at the front": {patterns(":a"), []string{"a segment is empty"}},
		"star in a word":     {patterns("ch*at"), []string{`"ch*at"`, "must be a whole segment"}},
		"two stars":          {patterns("a:**"), []string{"must be a whole segment"}},
		"user in a word":     {patterns("inbox-{user}"), []string{"{user}"}},
		"other placeholder":  {patterns("inbox:{id}"), []string{`"{id}"`, "the placeholders are {user} and {claim.NAME}"}},
		"open brace":         {patterns("inbox:{user"), []string{"the placeholders are {user} and {claim.NAME}"}},
		"claim without name": {patterns("t:{claim.}"), []string{`"{claim.}"`, "the placeholders are {user} and {claim.NAME}"}},
		"claim in a word":    {patterns("t:x{claim.a}"), []string{"the placeholders are {user} and {claim.NAME}"}},
		"claim left open":    {patterns("t:{claim.a"), []string{"the placeholders are {user} and {claim.NAME}"}},
		"claim of a claim":   {patterns("t:{claim.{user}}"), []string{"the placeholders are {user} and {claim.NAME}"}},
		"claim with a star":  {patterns("t:{claim.*}"), []string{"the placeholders are {user} and {claim.NAME}"}},
		"shadowed by claim":  {patterns("a:{claim.x}", "a:{user}"), []string{"never reached"}},
		"control character":  {patterns("a\nb:*"), []string{"no channel"}},
		"broken text":        {patterns("a\xff"), []string{"no channel"}},
		"wildcard of globs":  {patterns("a?"), []string{"no channel"}},
		"too long":           {patterns(strings.Repeat("x", 255) + ":*"), []string{"no channel"}},
		"twice":              {patterns("a:*", "b", "a:*"), []string{`room "a:*"`, "never reached"}},
		"shadowed by rest":   {patterns("a:*", "a:b:c"), []string{`room "a:b:c"`, `"a:*"`}},
		"shadowed by star":   {patterns("a:*:c", "a:b:c"), []string{"never reached"}},
		"shadowed by user":   {patterns("a:{user}", "a:b"), []string{"never reached"}},
		"user after star":    {patterns("a:*:x", "a:{user}:x"), []string{"never reached"}},
		"all is taken":       {patterns("*", "{user}"), []string{"never reached"}},
		"negative history":   {[]Room{{Pattern: "a", History: hub.Retention{Size: -1}}}, []string{"negative"}},
		"negative ttl":       {[]Room{{Pattern: "a", History: hub.Retention{TTL: -1}}}, []string{"negative"}},
		"negative rate":      {[]Room{{Pattern: "a", Rate: Rate{PerSecond: -1}}}, []string{`room "a"`, "rate"}},
		"rate NaN":           {[]Room{{Pattern: "a", Rate: Rate{PerSecond: math.NaN()}}}, []string{"rate"}},
		"burst alone":        {[]Room{{Pattern: "a", Rate: Rate{Burst: 1}}}, []string{"burst"}},
		"negative burst":     {[]Room{{Pattern: "a", Rate: Rate{PerSecond: 1, Burst: -1}}}, []string{"burst"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Compile(test.rooms)
			if err == nil {
				t.Fatal("no error")
			}
			for _, word := range test.want {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q lacks %q", err, word)
				}
			}
		})
	}
}

func TestCompileAcceptsWhatIsReached(t *testing.T) {
	t.Parallel()
	for _, texts := range [][]string{
		{"a:b", "a:*", "*"},
		{"a:{user}", "a:*"},         // deeper channels reach the second
		{"a:*:c", "a:b:*", "a:*:*"}, // each has channels of its own
		{"{user}", "*"},
		{strings.Repeat("x", 253) + ":*"},
		{"ünïcode:*", "with space:*"},
	} {
		if _, err := Compile(patterns(texts...)); err != nil {
			t.Errorf("%q: %v", texts, err)
		}
	}
}

// A caller that changes its blocks afterwards must not change the policy.
func TestCompileCopies(t *testing.T) {
	t.Parallel()
	rooms := patterns("a")
	p := compile(t, rooms...)
	rooms[0].Subscribe = Anyone
	if p.Match("a").Subscribe != Server {
		t.Error("the policy shares the caller's memory")
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	keep := hub.Retention{Size: 5, TTL: time.Hour}
	p := compile(t, Room{Pattern: "a", History: keep, Slow: hub.SlowLatest})
	if got, want := p.Options("a"), (hub.RoomOptions{Retention: keep, Slow: hub.SlowLatest}); got != want {
		t.Errorf("options %+v, want %+v", got, want)
	}
	if got := p.Options("b"); got != (hub.RoomOptions{}) {
		t.Errorf("options of an unknown channel: %+v", got)
	}
}

func TestRateSize(t *testing.T) {
	t.Parallel()
	for rate, want := range map[Rate]int{
		{PerSecond: 5, Burst: 10}:      10,
		{PerSecond: 5}:                 5,
		{PerSecond: 2.5}:               3,
		{PerSecond: 0.01}:              1,
		{PerSecond: math.MaxFloat64}:   math.MaxInt32,
		{PerSecond: 0.5, Burst: 1}:     1,
		{PerSecond: 1 << 20, Burst: 2}: 2,
	} {
		if got := rate.Size(); got != want {
			t.Errorf("%+v has size %d, want %d", rate, got, want)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	var rooms []Room
	for i := range 20 {
		rooms = append(rooms, Room{Pattern: fmt.Sprintf("app:kind-%02d:*:{user}", i)})
	}
	p := compile(b, rooms...)
	for name, channel := range map[string]string{
		"20-blocks-first": "app:kind-00:room:ann",
		"20-blocks-last":  "app:kind-19:room:ann",
		"20-blocks-none":  "other:kind:room:ann",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Match(channel)
			}
		})
	}
}

func TestRateIsZero(t *testing.T) {
	t.Parallel()
	for rate, want := range map[Rate]bool{{}: true, {Burst: 5}: true, {PerSecond: 0.1}: false, {PerSecond: 1, Burst: 5}: false} {
		if got := rate.IsZero(); got != want {
			t.Errorf("%+v: %t", rate, got)
		}
	}
}

// A block behind others counts only if it has channels that none of them has.
func TestReached(t *testing.T) {
	t.Parallel()
	var got []string
	for _, r := range Reached([]Room{{Pattern: "a:*"}, {Pattern: "a:b"}, {Pattern: "b::c"}, {Pattern: "b"}, {Pattern: "*"}, {Pattern: "c"}}) {
		got = append(got, r.Pattern)
	}
	if want := []string{"a:*", "b", "*"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	p := compile(t, Room{Pattern: "a:*"})
	if p.OrElse(Room{Pattern: "a:b"}) != p || p.OrElse(Room{Pattern: "a::b"}) != p {
		t.Error("a block that is never reached changes the policy")
	}
	if q := p.OrElse(Room{Pattern: "b", Subscribe: Anyone}); q.Match("b") == nil || q.Match("a:b") == nil || p.Match("b") != nil {
		t.Error("a further block is not added, or is added to the policy before")
	}
}

func TestPresenceOptions(t *testing.T) {
	t.Parallel()
	p := compile(t, Room{Pattern: "a", Members: &presence.Options{Snapshot: 7}}, Room{Pattern: "b"})
	for channel, want := range map[string]int{"a": 7, "b": 0, "c": 0} {
		if got := p.Presence(channel).Snapshot; got != want {
			t.Errorf("%s names %d members in a frame, want %d", channel, got, want)
		}
	}
}

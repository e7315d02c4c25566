package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func spanPolicy(t testing.TB, patterns ...string) *Policy {
	t.Helper()
	var rooms []Room
	for _, p := range patterns {
		rooms = append(rooms, Room{Pattern: p, Subscribe: Anyone})
	}
	p, err := Compile(rooms)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSpan(t *testing.T) {
	for _, c := range []struct {
		blocks, pattern, block string
		code                   protocol.Code
	}{
		{"orders:*", "orders:*", "orders:*", ""},
		{"orders:*", "orders:eu:*", "orders:*", ""},
		{"orders:*", "orders:*:paid", "orders:*", ""},
		{"orders:*", "*", "", protocol.Forbidden},
		{"orders:*", "order:*", "", protocol.Forbidden},
		{"orders:*:paid", "orders:*:paid", "orders:*:paid", ""},
		{"orders:*:paid", "orders:*", "", protocol.Forbidden},
		{"orders:vip orders:*", "orders:*", "", protocol.Forbidden},
		{"orders:vip orders:*", "orders:eu:*", "orders:*", ""},
		{"orders:vip:* orders:*", "orders:vip:*", "orders:vip:*", ""},
		{"orders:*:x *", "orders:*", "", protocol.Forbidden},
		{"inbox:{user} *", "*", "", protocol.Forbidden},
		{"inbox:{user} *", "inbox:*", "", protocol.Forbidden},
		{"inbox:{user} *", "inbox:ann:*", "*", ""},
		{"inbox:{user}:* *", "inbox:ann:*", "", protocol.Forbidden},
		{"t:{claim.team}:* *", "t:red:*", "", protocol.Forbidden},
		{"*", "a", "", protocol.InvalidChannel},
		{"*", "a*b", "", protocol.InvalidChannel},
		{"*", "", "", protocol.InvalidChannel},
		{"*", "a::*", "", protocol.InvalidChannel},
		{"*", "{user}:*", "", protocol.InvalidChannel},
		{"*", strings.Repeat("a", 254) + ":*", "", protocol.InvalidChannel},
		{"*", "a\x00:*", "", protocol.InvalidChannel},
	} {
		s, e := spanPolicy(t, strings.Fields(c.blocks)...).Span(c.pattern)
		switch {
		case e == nil && c.code != "", e != nil && e.Code != c.code:
			t.Errorf("%s in %s: %v, want %s", c.pattern, c.blocks, e, c.code)
		case e == nil && s.Room.Pattern != c.block:
			t.Errorf("%s in %s: block %s, want %s", c.pattern, c.blocks, s.Room.Pattern, c.block)
		}
	}
	if _, e := (*Policy)(nil).Span("a:*"); e == nil {
		t.Error("no policy allows a pattern")
	}
}

func TestSpanAllow(t *testing.T) {
	grants := func(pattern, action string) Grants {
		g, err := CompileGrants([]Grant{{Pattern: pattern, Allow: []string{action}}})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	for _, c := range []struct {
		access Access
		who    Subject
		code   protocol.Code
	}{
		{Anyone, Subject{}, ""},
		{Users, Subject{}, protocol.Unauthorized},
		{Users, Subject{User: "ann"}, ""},
		{Granted, Subject{}, protocol.Unauthorized},
		{Granted, Subject{User: "ann"}, protocol.Forbidden},
		{Granted, Subject{User: "ann", Grants: grants("a:*", "subscribe")}, ""},
		{Granted, Subject{User: "ann", Grants: grants("a:*", "publish")}, protocol.Forbidden},
		{Granted, Subject{User: "ann", Grants: grants("a:b", "subscribe")}, protocol.Forbidden},
		{Server, Subject{User: "ann"}, protocol.Forbidden},
		{Default, Subject{User: "ann"}, protocol.Forbidden},
		{Default, Subject{}, protocol.Forbidden},
		{Anyone + 1, Subject{User: "ann"}, protocol.Forbidden},
	} {
		p, err := Compile([]Room{{Pattern: "a:*", Subscribe: Anyone, PatternAccess: c.access}})
		if err != nil {
			t.Fatal(err)
		}
		s, e := p.Span("a:*")
		if e == nil {
			e = s.Allow(&c.who)
		}
		if e == nil && c.code != "" || e != nil && e.Code != c.code {
			t.Errorf("%s for %+v: %v, want %q", c.access, c.who, e, c.code)
		}
		if feed := p.Options("a:b").Feed; (feed != "") != (c.access >= Granted && c.access <= Anyone) {
			t.Errorf("%s: the feed is %q", c.access, feed)
		}
	}
}

// FuzzSpan compares the covering of whole patterns with what a naive matcher says about single
// channels: every channel of an accepted pattern belongs to the block that was found, and a
// refused pattern has channels of more than one block, of none, or of a block with a placeholder.
func FuzzSpan(f *testing.F) {
	f.Add("a:b", "a:*", "", "a:*", "a:c")
	f.Add("a:*:c", "a:{user}", "*", "a:*:d", "a:b:d")
	f.Add("*:b", "a:*:*", "a:*", "a:*", "a:x:b")
	f.Add("a:0*", "", "*", "a*", "0")
	f.Add("*:b", "a:*:*", "a:*", "a:a*", "a:x:b")
	f.Fuzz(func(t *testing.T, first, second, third, text, channel string) {
		var rooms []Room
		for _, block := range []string{first, second, third} {
			rooms = append(rooms, Room{Pattern: block})
		}
		p, err := Compile(slices.DeleteFunc(rooms, func(r Room) bool { return r.Pattern == "" }))
		if err != nil {
			return
		}
		split := func(s string) []string { return strings.Split(s, ":") }
		s, e := p.Span(text)
		if e == nil {
			if naiveMatch(split(text), split(channel)) && protocol.ValidChannel(channel) == nil && p.Match(channel) != s.Room {
				t.Errorf("%q: %q is not of block %q", text, channel, s.Room.Pattern)
			}
			if p.Match(text) != s.Room {
				t.Errorf("%q as a name is not of block %q", text, s.Room.Pattern)
			}
			if s.Match(channel) != naiveMatch(split(text), split(channel)) {
				t.Errorf("%q: %q differs from the naive matcher", text, channel)
			}
		}
		if e == nil || e.Code != protocol.Forbidden {
			return
		}
		// Every segment that any pattern knows, every beginning of one, alone and with something behind
		// it, and a segment that none knows, make enough channels.
		words := []string{"\u00e9new"}
		for _, all := range []string{first, second, third, text} {
			for _, word := range split(all) {
				word, begins := strings.CutSuffix(word, "*")
				if strings.ContainsAny(word, "*{") || word == "" {
					continue
				}
				words = append(words, word)
				if begins {
					words = append(words, word+"\u00e9")
				}
			}
		}
		slices.Sort(words)
		words = slices.Compact(words)
		if depth := 1 + max(len(split(first)), len(split(second)), len(split(third)), len(split(text))); depth > 5 || len(words) > 6 {
			return
		} else if owners := owners(p, split(text), words, depth); len(owners) == 1 && owners[0] != nil && !owners[0].pattern.personal {
			t.Errorf("%q was refused, and all of its channels are of block %q", text, owners[0].Pattern)
		}
	})
}

// owners returns the blocks that the channels of a pattern belong to.
func owners(p *Policy, text, words []string, depth int) (found []*Room) {
	var visit func(channel []string)
	visit = func(channel []string) {
		if len(channel) > 0 && naiveMatch(text, channel) {
			if r := p.Match(strings.Join(channel, ":")); !slices.Contains(found, r) {
				found = append(found, r)
			}
		}
		if len(channel) < depth {
			for _, w := range words {
				visit(append(slices.Clone(channel), w))
			}
		}
	}
	visit(nil)
	return found
}

package policy

import (
	"strings"
	"testing"
)

// FuzzPattern compares patterns with a second implementation, which does it the
// slow and obvious way.
func FuzzPattern(f *testing.F) {
	for _, s := range [][2]string{
		{"chat:*", "chat:1"}, {"chat:*", "chat:"}, {"*", "a:b"}, {"a:*:c", "a:b:c"}, {"a:*:c", "a::c"},
		{"inbox:{user}", "inbox:ann"}, {"a:b", "a:b:c"}, {"a:{user}:*", "a:b:c:d"}, {"a:b:*", "a:b::"}, {"{user}", ""}, {"t:{claim.team}:*", "t:red:1"},
		{"private-*", "private-x"}, {"*:private-*", "a:private-x:b"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, text, channel string) {
		p, err := parsePattern(text)
		if err != nil {
			return
		}
		if got, want := p.match(channel), naiveMatch(strings.Split(text, ":"), strings.Split(channel, ":")); got != want {
			t.Errorf("%q matches %q: %v, the reference says %v", text, channel, got, want)
		}
		if p.match(channel) && p.personal && p.ownedBy(&Subject{Claims: map[string]string{"": "", "x": ""}}, channel) {
			t.Errorf("%q: %q belongs to nobody", text, channel)
		}
	})
}

func naiveMatch(pattern, channel []string) bool {
	switch {
	case len(pattern) == 0:
		return len(channel) == 0
	case len(channel) == 0:
		return false
	case len(pattern) == 1 && pattern[0] == "*":
		return strings.Join(channel, ":") != ""
	case len(pattern) == 1 && strings.HasSuffix(pattern[0], "*"):
		rest, ok := strings.CutPrefix(strings.Join(channel, ":"), strings.TrimSuffix(pattern[0], "*"))
		return ok && rest != ""
	case pattern[0] == "*", pattern[0] == "{user}", strings.HasPrefix(pattern[0], "{claim."):
		return channel[0] != "" && naiveMatch(pattern[1:], channel[1:])
	}
	return pattern[0] == channel[0] && naiveMatch(pattern[1:], channel[1:])
}

// FuzzCovers holds what makes a block unreachable against what its channels do.
func FuzzCovers(f *testing.F) {
	f.Add("a:*", "a:b", "a:b")
	f.Add("a:{user}", "a:*", "a:b:c")
	f.Add("*", "a:*:c", "a:b:c")
	f.Add("a:*:*", "a:*", "a:b")
	f.Fuzz(func(t *testing.T, first, second, channel string) {
		p, err := parsePattern(first)
		if err != nil {
			return
		}
		q, err := parsePattern(second)
		if err != nil {
			return
		}
		if p.covers(&q) && q.match(channel) && !p.match(channel) {
			t.Errorf("%q covers %q, but not its channel %q", first, second, channel)
		}
		if !p.covers(&p) {
			t.Errorf("%q does not cover itself", first)
		}
	})
}

package policy

import "testing"

// TestStarts tests patterns whose last segment ends with a *.
func TestStarts(t *testing.T) {
	for _, c := range []struct {
		pattern, channel string
		want             bool
	}{
		{"private-*", "private-x", true},
		{"private-*", "private-x:y", true},
		{"private-*", "private-", false},
		{"private-*", "privat", false},
		{"private-*", "x:private-x", false},
		{"app:private-*", "app:private-x", true},
		{"app:private-*", "app:x", false},
		{"*:private-*", "app:private-x", true},
		{"*:private-*", "app:private-", false},
		{"*:private-*", "app:x", false},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.match(c.channel); got != c.want {
			t.Errorf("%s matches %s: %v", c.pattern, c.channel, got)
		}
	}
}

// TestStartsCovers compares such patterns with others.
func TestStartsCovers(t *testing.T) {
	for _, c := range []struct {
		p, q          string
		covers, meets bool
	}{
		{"a*", "a*", true, true},
		{"a*", "ab*", true, true},
		{"ab*", "a*", false, true},
		{"a*", "b*", false, false},
		{"a*", "ab", true, true},
		{"a*", "a", false, false},
		{"a*", "a:b", true, true},
		{"a*", "ab:*", true, true},
		{"a*", "b:*", false, false},
		{"a*", "*", false, true},
		{"*", "a*", true, true},
		{"a*", "{user}", false, true},
		{"{user}", "a*", false, true},
		{"a:b", "a*", false, true},
		{"ab", "a*", false, true},
		{"x:a*", "x:*", false, true},
		{"x:*", "x:a*", true, true},
		{"x:*", "y:a*", false, false},
	} {
		p, err1 := parsePattern(c.p)
		q, err2 := parsePattern(c.q)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if got := p.covers(&q); got != c.covers {
			t.Errorf("%s covers %s: %v", c.p, c.q, got)
		}
		if got := p.meets(&q); got != c.meets || q.meets(&p) != c.meets {
			t.Errorf("%s meets %s: %v, %v", c.p, c.q, got, q.meets(&p))
		}
	}
}

package document

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// history makes changes from an empty document on; each gets its version as key.
func history(t testing.TB, keep int, patches ...string) State {
	t.Helper()
	s := State{Epoch: "e", Tree: Empty}
	for _, text := range patches {
		v := s.Version + 1
		_, touched, err := try(s.Tree, text, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if s, err = s.Replay(Entry{Version: v, Key: fmt.Sprint(v), Patch: []byte(text), Touched: touched}, keep); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return s
}

func TestDecide(t *testing.T) {
	t.Parallel()
	s := history(t, 4,
		`{"list":[1,2,3],"o":{"a":1,"b":1}}`,            // 1
		`{"o":{"a":2}}`,                                 // 2
		`[{"op":"add","path":"/list/-","value":4}]`,     // 3
		`[{"op":"replace","path":"/list/0","value":0}]`, // 4
		`[{"op":"add","path":"/rows","value":[{}]}]`,    // 5
	)
	for _, c := range []struct {
		base   uint64
		patch  string
		reason Reason
		want   string
	}{
		{5, `{"o":{"a":9}}`, 0, `{"list":[0,2,3,4],"o":{"a":9,"b":1},"rows":[{}]}`},
		{5, `{}`, 0, `{"list":[0,2,3,4],"o":{"a":2,"b":1},"rows":[{}]}`},
		{1, `{"o":{"b":2}}`, 0, `{"list":[0,2,3,4],"o":{"a":2,"b":2},"rows":[{}]}`},
		{1, `{"o":{"a":3}}`, Conflict, ""},
		{2, `{"o":{"a":3}}`, 0, `{"list":[0,2,3,4],"o":{"a":3,"b":1},"rows":[{}]}`},
		{1, `{"o":null}`, Conflict, ""},
		{1, `[{"op":"add","path":"/list/-","value":5}]`, 0, `{"list":[0,2,3,4,5],"o":{"a":2,"b":1},"rows":[{}]}`},
		{1, `[{"op":"replace","path":"/list/1","value":9}]`, 0, `{"list":[0,9,3,4],"o":{"a":2,"b":1},"rows":[{}]}`},
		{1, `[{"op":"replace","path":"/list/0","value":9}]`, Conflict, ""},
		{1, `[{"op":"replace","path":"/list/3","value":9}]`, Conflict, ""}, // was not there
		{1, `[{"op":"add","path":"/list/0","value":9}]`, Conflict, ""},
		{4, `[{"op":"add","path":"/list/0","value":9}]`, 0, `{"list":[9,0,2,3,4],"o":{"a":2,"b":1},"rows":[{}]}`},
		{1, `[{"op":"remove","path":"/list/2"}]`, Conflict, ""},
		{1, `{"list":[]}`, Conflict, ""},
		{1, `[{"op":"remove","path":"/x"}]`, Conflict, ""},
		{5, `[{"op":"remove","path":"/x"}]`, Invalid, ""},
		{1, `[{"op":"test","path":"/o/a","value":2},{"op":"add","path":"/o/c","value":1}]`, 0, `{"list":[0,2,3,4],"o":{"a":2,"b":1,"c":1},"rows":[{}]}`},
		{1, `[{"op":"test","path":"/o/a","value":1},{"op":"add","path":"/o/c","value":1}]`, Failed, ""},
		// Its second element is the first one of those by now.
		{2, `[{"op":"add","path":"/list/-","value":{}},{"op":"add","path":"/list/-","value":{}},{"op":"add","path":"/list/4/x","value":1}]`, Conflict, ""},
		{5, `[{"op":"add","path":"/list/-","value":{}},{"op":"add","path":"/list/4/x","value":1}]`, 0, `{"list":[0,2,3,4,{"x":1}],"o":{"a":2,"b":1},"rows":[{}]}`},
		{6, `{}`, Conflict, ""},
		{0, `{}`, Conflict, ""}, // further back than the log
		{1, `{"x":"` + string(make([]byte, 0)) + `"}`, 0, `{"list":[0,2,3,4],"o":{"a":2,"b":1},"rows":[{}],"x":""}`},
	} {
		before := string(s.Tree.Text())
		d := s.Decide(&Change{Base: c.base, Patch: patch(t, c.patch, Limits{})}, Options{})
		switch {
		case c.reason == 0 && (d.Err != nil || string(d.Tree.Text()) != c.want):
			t.Errorf("%s at %d: %s, %v; want %s", c.patch, c.base, d.Tree.Text(), d.Err, c.want)
		case c.reason != 0 && (d.Err == nil || d.Err.Reason != c.reason):
			t.Errorf("%s at %d: %s, %v; want %d", c.patch, c.base, d.Tree.Text(), d.Err, c.reason)
		}
		if string(s.Tree.Text()) != before {
			t.Fatalf("%s changed the state it was held against", c.patch)
		}
		strict := s.Decide(&Change{Base: c.base, Patch: patch(t, c.patch, Limits{})}, Options{Strict: true})
		if c.base != s.Version && (strict.Err == nil || strict.Err.Reason != Conflict) {
			t.Errorf("%s at %d is not refused when strict: %v", c.patch, c.base, strict.Err)
		}
	}
}

// A base that is the current version is accepted, however strict the document is.
func TestDecideAtTheCurrentVersion(t *testing.T) {
	t.Parallel()
	for _, s := range []State{{Epoch: "e", Tree: Empty}, history(t, 4, `{"a":1}`, `{"b":1}`), history(t, 0, `{"a":1}`)} {
		if d := s.Decide(&Change{Base: s.Version, Patch: patch(t, `{"c":1}`, Limits{})}, Options{Strict: true}); d.Err != nil {
			t.Errorf("at version %d: %v", s.Version, d.Err)
		}
	}
}

// An entry follows a state by its version and, where both are known, by its anchor.
func TestEntryFollows(t *testing.T) {
	t.Parallel()
	first := Entry{Version: 1, Key: "a", Patch: []byte(`{}`)}
	first.Anchor = first.AnchorAfter(0)
	second := Entry{Version: 2, Key: "b", Patch: []byte(`{}`)}
	second.Anchor = second.AnchorAfter(first.Anchor)
	other := first
	other.Anchor++
	unknown := second
	unknown.Anchor = 0
	for _, c := range []struct {
		name  string
		entry Entry
		known Known
		want  bool
	}{
		{"the first", first, Known{}, true},
		{"another first", other, Known{}, false},
		{"the second", second, Known{Version: 1, Anchor: first.Anchor}, true},
		{"the second after another first", second, Known{Version: 1, Anchor: other.Anchor}, false},
		{"the second after one without an anchor", second, Known{Version: 1}, true},
		{"a second without an anchor", unknown, Known{Version: 1, Anchor: first.Anchor}, true},
		{"the second after nothing", second, Known{}, false},
		{"the second again", second, Known{Version: 2}, false},
	} {
		if got := c.entry.Follows(c.known); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

func TestDecideOthers(t *testing.T) {
	t.Parallel()
	s := history(t, 10, `{"a":1}`, `{"b":1}`)
	p := patch(t, `{"c":1}`, Limits{})
	no := errors.New("no")
	for name, c := range map[string]struct {
		change Change
		reason Reason
		again  uint64
	}{
		"duplicate":       {Change{Key: "1", Base: 0, Epoch: "e"}, 0, 1},
		"no key":          {Change{Base: 2}, 0, 0},
		"right epoch":     {Change{Base: 2, Epoch: "e"}, 0, 0},
		"other epoch":     {Change{Base: 2, Epoch: "f"}, Conflict, 0},
		"latest":          {Change{Base: 99, Latest: true}, 0, 0},
		"latest of other": {Change{Epoch: "f", Latest: true}, Conflict, 0},
		"checked":         {Change{Base: 2, Check: func(t Tree) error { return nil }}, 0, 0},
		"refused":         {Change{Base: 2, Check: func(t Tree) error { return no }}, Rejected, 0},
	} {
		c.change.Patch = p
		d := s.Decide(&c.change, Options{})
		if d.Duplicate != c.again || (d.Err == nil) != (c.reason == 0) || d.Err != nil && d.Err.Reason != c.reason {
			t.Errorf("%s: %+v", name, d)
		}
		if c.reason == Rejected && !errors.Is(d.Err, no) {
			t.Errorf("%v does not wrap the cause", d.Err)
		}
	}
}

// The log is bounded, whatever comes, and states do not share what they would
// overwrite.
func TestLog(t *testing.T) {
	t.Parallel()
	s := State{Epoch: "e", Tree: Empty}
	for i := range 100 {
		var err error
		e := Entry{Version: s.Version + 1, Key: fmt.Sprint(i), Patch: []byte(fmt.Sprintf(`{"n":%d}`, i))}
		if s, err = s.Replay(e, 7); err != nil {
			t.Fatal(err)
		}
		if len(s.log) > 7 || cap(s.log) > 40 {
			t.Fatalf("%d of %d entries", len(s.log), cap(s.log))
		}
	}
	if l, ok := s.since(93); !ok || len(l) != 7 || l[0].Version != 94 {
		t.Errorf("%v %t", l, ok)
	}
	if _, ok := s.since(92); ok {
		t.Error("the log reaches back further than it may")
	}
	if l, ok := s.since(100); !ok || len(l) != 0 {
		t.Errorf("%v %t", l, ok)
	}
	if s, _ = s.Replay(Entry{Version: 101, Patch: []byte(`{}`)}, 0); len(s.log) != 0 || s.Version != 101 {
		t.Errorf("%+v", s)
	}
	for _, e := range []Entry{{Version: 101, Patch: []byte(`{}`)}, {Version: 102, Patch: []byte(`7`)}, {Version: 102, Patch: []byte(`[{"op":"remove","path":"/x"}]`)}} {
		if _, err := s.Replay(e, 7); err == nil {
			t.Errorf("%s was replayed as %d", e.Patch, e.Version)
		}
	}
}

// The log has as many entries as fit into its bytes, and in any case the latest one.
func TestLogBytes(t *testing.T) {
	t.Parallel()
	sized := func(version uint64, bytes int) Entry {
		e := Entry{Version: version, Patch: []byte(`{}`)}
		e.Key = strings.Repeat("k", bytes-e.Bytes())
		return e
	}
	s := State{Epoch: "e", Tree: Empty}
	for _, step := range []struct{ bytes, entries int }{
		{maxLogBytes / 2, 1}, {maxLogBytes / 2, 2}, {maxLogBytes/2 + 1, 1}, {maxLogBytes/2 - 1, 2}, {maxLogBytes + 1, 1}, {1000, 1},
	} {
		var err error
		if s, err = s.Replay(sized(s.Version+1, step.bytes), 9); err != nil {
			t.Fatal(err)
		}
		if len(s.log) != step.entries || s.log[len(s.log)-1].Version != s.Version {
			t.Errorf("after an entry of %d bytes: %d entries of %d bytes", step.bytes, len(s.log), s.bytes)
		}
	}
}

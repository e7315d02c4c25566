package document

import (
	"errors"
	"fmt"
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

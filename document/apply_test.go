package document

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// free allows everything that the standards do.
var free = Limits{Move: true, Root: true, trusted: true}

func parse(t testing.TB, text string) Tree {
	t.Helper()
	tree, err := Parse([]byte(text), free)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return tree
}

func patch(t testing.TB, text string, l Limits) *Patch {
	t.Helper()
	p, err := ParsePatch([]byte(text), l)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

// try parses and applies.
func try(doc Tree, text string, l Limits) (Tree, []string, error) {
	p, err := ParsePatch([]byte(text), l)
	if err != nil {
		return doc, nil, err
	}
	got, touched, err := Apply(doc, p, l)
	if err != nil {
		return doc, nil, err
	}
	return got, touched, nil
}

// The appendix of RFC 6902, in its order; a want of "" is an error.
var jsonPatches = []struct{ name, doc, patch, want string }{
	{"A.1 object member", `{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux"}]`, `{"baz":"qux","foo":"bar"}`},
	{"A.2 array element", `{"foo":["bar","baz"]}`, `[{"op":"add","path":"/foo/1","value":"qux"}]`, `{"foo":["bar","qux","baz"]}`},
	{"A.3 remove member", `{"baz":"qux","foo":"bar"}`, `[{"op":"remove","path":"/baz"}]`, `{"foo":"bar"}`},
	{"A.4 remove element", `{"foo":["bar","qux","baz"]}`, `[{"op":"remove","path":"/foo/1"}]`, `{"foo":["bar","baz"]}`},
	{"A.5 replace", `{"baz":"qux","foo":"bar"}`, `[{"op":"replace","path":"/baz","value":"boo"}]`, `{"baz":"boo","foo":"bar"}`},
	{"A.6 move", `{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}`, `[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]`, `{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}`},
	{"A.7 move element", `{"foo":["all","grass","cows","eat"]}`, `[{"op":"move","from":"/foo/1","path":"/foo/3"}]`, `{"foo":["all","cows","eat","grass"]}`},
	{"A.8 test", `{"baz":"qux","foo":["a",2,"c"]}`, `[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]`, `{"baz":"qux","foo":["a",2,"c"]}`},
	{"A.9 test fails", `{"baz":"qux"}`, `[{"op":"test","path":"/baz","value":"bar"}]`, ""},
	{"A.10 nested object", `{"foo":"bar"}`, `[{"op":"add","path":"/child","value":{"grandchild":{}}}]`, `{"child":{"grandchild":{}},"foo":"bar"}`},
	{"A.11 unknown members", `{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux","xyz":123}]`, `{"baz":"qux","foo":"bar"}`},
	{"A.12 no target", `{"foo":"bar"}`, `[{"op":"add","path":"/baz/bat","value":"qux"}]`, ""},
	{"A.13 member twice", `{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux","op":"remove"}]`, ""},
	{"A.14 escapes", `{"/":9,"~1":10}`, `[{"op":"test","path":"/~01","value":10}]`, `{"/":9,"~1":10}`},
	{"A.15 string and number", `{"/":9,"~1":10}`, `[{"op":"test","path":"/~01","value":"10"}]`, ""},
	{"A.16 array value", `{"foo":["bar"]}`, `[{"op":"add","path":"/foo/-","value":["abc","def"]}]`, `{"foo":["bar",["abc","def"]]}`},

	{"nothing", `{"a":1}`, `[]`, `{"a":1}`},
	{"null is a value", `{"a":1}`, `[{"op":"add","path":"/a","value":null}]`, `{"a":null}`},
	{"value missing", `{"a":1}`, `[{"op":"add","path":"/a"}]`, ""},
	{"empty names", `{"":{"":1}}`, `[{"op":"replace","path":"//","value":2}]`, `{"":{"":2}}`},
	{"whole document", `{"a":1}`, `[{"op":"add","path":"","value":[1]},{"op":"add","path":"/0","value":0}]`, `[0,1]`},
	{"replace nothing", `{"a":1}`, `[{"op":"replace","path":"/b","value":2}]`, ""},
	{"remove nothing", `{"a":1}`, `[{"op":"remove","path":"/b"}]`, ""},
	{"remove the only element", `{"a":[1]}`, `[{"op":"remove","path":"/a/0"}]`, `{"a":[]}`},
	{"remove twice", `{"a":1}`, `[{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}]`, ""},
	{"index at the end", `[1]`, `[{"op":"add","path":"/1","value":2}]`, `[1,2]`},
	{"index behind the end", `[1]`, `[{"op":"add","path":"/2","value":2}]`, ""},
	{"index with zero", `[1,2]`, `[{"op":"replace","path":"/01","value":0}]`, ""},
	{"index with sign", `[1,2]`, `[{"op":"replace","path":"/+1","value":0}]`, ""},
	{"negative index", `[1,2]`, `[{"op":"remove","path":"/-1"}]`, ""},
	{"huge index", `[1,2]`, `[{"op":"remove","path":"/99999999999999999999"}]`, ""},
	{"dash is no element", `[1,2]`, `[{"op":"remove","path":"/-"}]`, ""},
	{"dash is a member", `{"-":1}`, `[{"op":"replace","path":"/-","value":2}]`, `{"-":2}`},
	{"into a number", `{"a":1}`, `[{"op":"add","path":"/a/b","value":2}]`, ""},
	{"no slash", `{"a":1}`, `[{"op":"remove","path":"a"}]`, ""},
	{"bad escape", `{"a":1}`, `[{"op":"add","path":"/~2","value":1}]`, ""},
	{"open escape", `{"a":1}`, `[{"op":"add","path":"/a~","value":1}]`, ""},
	{"unknown operation", `{"a":1}`, `[{"op":"spam","path":"/a","value":1}]`, ""},
	{"numbers", `{"a":1.0,"b":-0,"c":1200}`, `[{"op":"test","path":"/a","value":1},{"op":"test","path":"/b","value":0e5},{"op":"test","path":"/c","value":0.12e4}]`, `{"a":1.0,"b":-0,"c":1200}`},
	{"numbers differ", `{"a":10}`, `[{"op":"test","path":"/a","value":1}]`, ""},
	{"huge numbers", `{"a":1e99999999999}`, `[{"op":"test","path":"/a","value":1e99999999998}]`, ""},
	{"order of members", `{"a":{"b":1,"c":2}}`, `[{"op":"test","path":"/a","value":{"c":2,"b":1}}]`, `{"a":{"b":1,"c":2}}`},
	{"all or nothing", `{"a":{"b":1}}`, `[{"op":"replace","path":"/a/b","value":2},{"op":"remove","path":"/c"}]`, ""},
	{"move into itself", `{"a":{"b":1}}`, `[{"op":"move","from":"/a","path":"/a/b/c"}]`, ""},
	{"move to itself", `{"a":1}`, `[{"op":"move","from":"/a","path":"/a"}]`, `{"a":1}`},
	{"copy is a copy", `{"a":{"n":1}}`, `[{"op":"add","path":"/a/m","value":1},{"op":"copy","from":"/a","path":"/b"},{"op":"replace","path":"/a/n","value":2},{"op":"replace","path":"/b/m","value":3}]`, `{"a":{"m":1,"n":2},"b":{"m":3,"n":1}}`},
	{"separators of lines and paragraphs", `{"a":"x"}`, `[{"op":"replace","path":"/a","value":"\u2028\u2029"}]`, `{"a":"\u2028\u2029"}`},
	{"text", `{"a":"x"}`, `[{"op":"replace","path":"/a","value":"\u2028\"\\\u0001\n/\ud83d\ude00"}]`, `{"a":"\u2028\"\\\u0001\n/😀"}`},
}

// The appendix of RFC 7396, but for patches that are no objects, which replace the
// whole document and are nothing that this package takes for a merge patch.
var mergePatches = []struct{ name, doc, patch, want string }{
	{"1", `{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
	{"2", `{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
	{"3", `{"a":"b"}`, `{"a":null}`, `{}`},
	{"4", `{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
	{"5", `{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
	{"6", `{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
	{"7", `{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
	{"8", `{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
	{"13", `{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
	{"14", `[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
	{"15", `{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	{"an object beside another member", `{"a":1}`, `{"b":{"c":1}}`, `{"a":1,"b":{"c":1}}`},
	{"nothing", `{"a":1}`, `{}`, `{"a":1}`},
	{"null", `null`, `{}`, `{}`},
	{"arrays keep null", `{}`, `{"a":[null,{"b":null}]}`, `{"a":[null,{"b":null}]}`},
	{"delete nothing", `{}`, `{"a":null}`, `{}`},
}

func TestStandards(t *testing.T) {
	t.Parallel()
	for _, c := range slices.Concat(jsonPatches, conformance, mergePatches) {
		doc := parse(t, c.doc)
		got, _, err := try(doc, c.patch, free)
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%s: %s", c.name, got.Text())
		case c.want != "" && (err != nil || string(got.Text()) != c.want):
			t.Errorf("%s: %s, %v; want %s", c.name, got.Text(), err, c.want)
		}
		if !doc.Equal(parse(t, c.doc)) {
			t.Errorf("%s: the document before was changed: %s", c.name, doc.Text())
		}
		if got.Size() != len(got.Text()) || got.cost != newTree(got.root).cost {
			t.Errorf("%s: %s has %+v, counted %+v", c.name, got.Text(), newTree(got.root).cost, got.cost)
		}
	}
}

func TestTouched(t *testing.T) {
	t.Parallel()
	doc := parse(t, `{"list":[1,2,3],"o":{"a":{"b":1}},"s":"x"}`)
	for text, want := range map[string]string{
		`{"o":{"a":{"b":2}},"s":null}`:                    "/o/a/b /s",
		`{"new":{"x":{"y":1},"e":{}}}`:                    "/new/e /new/x/y",
		`{"s":{}}`:                                        "/s",
		`{"o":{}}`:                                        "",
		`{"absent":null,"list":[1]}`:                      "/absent /list",
		`[{"op":"add","path":"/list/-","value":4}]`:       "/list/3",
		`[{"op":"add","path":"/list/3","value":4}]`:       "/list",
		`[{"op":"remove","path":"/list/0"}]`:              "/list",
		`[{"op":"replace","path":"/list/0","value":0}]`:   "/list/0",
		`[{"op":"test","path":"/s","value":"x"}]`:         "",
		`[{"op":"move","from":"/s","path":"/o/a~1~0"}]`:   "/s /o/a~1~0",
		`[{"op":"copy","from":"/s","path":"/o/t"}]`:       "/o/t",
		`[{"op":"replace","path":"","value":{"list":1}}]`: "",
	} {
		_, touched, err := try(doc, text, free)
		if err != nil || strings.Join(touched, " ") != want {
			t.Errorf("%s touches %q, %v; want %s", text, touched, err, want)
		}
	}
}

func TestOverlaps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"/a", "/b", false}, {"/a", "/a", true}, {"/a", "/a/b", true}, {"/a", "/ab", false},
		{"/a/b", "/a/c", false}, {"", "/a", true}, {"", "", true}, {"/", "/a", false}, {"/", "//x", true},
	} {
		for _, pair := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			if _, got := newFootprint(pair[:1]).overlaps(pair[1:]); got != c.want {
				t.Errorf("%q: %t", pair, got)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	small := Limits{Size: 40, Depth: 3, Nodes: 8, Operations: 3, Pointer: 12}
	doc := parse(t, `{"a":{"b":[1,2]}}`)
	for _, c := range []struct {
		patch string
		want  Reason
	}{
		{``, Invalid}, {`{`, Invalid}, {`{} {}`, Invalid}, {"{\"a\":\"\xff\"}", Invalid}, {`"a"`, Invalid}, {`null`, Invalid}, {`[1]`, Invalid},
		{`{"a":1,"a":2}`, Invalid},
		{`{"__proto__":1}`, Invalid}, {`{"a":{"constructor":{}}}`, Invalid}, {`{"x":[{"prototype":1}]}`, Invalid},
		{`[{"op":"add","path":"/a/__proto__","value":1}]`, Invalid},
		{`[{"op":"remove","path":"/prototype"}]`, Invalid},
		{`{"a":1e309}`, Invalid}, {`[{"op":"add","path":"/c","value":[-1e400]}]`, Invalid}, {`{"a":1e308}`, 0}, {`{"a":-1e-400}`, 0},
		{`{"a":"\ud83d"}`, Invalid}, {`{"\udc00":1}`, Invalid}, {`{"a":"\uDE00\uD83D"}`, Invalid}, {`{"a":"\ud83d \ude00"}`, Invalid},
		{`[{"op":"remove","path":"/\ud83d"}]`, Invalid}, {`{"a":"\\ud83d\ud83d\ude00"}`, 0},
		{`{"a":"\n\ud83d"}`, Invalid}, {`{"a":"\n\ud83d\ude00"}`, 0},
		{`[{"op":"copy","from":"/a","path":"/c"}]`, Invalid}, {`[{"op":"move","from":"/a","path":"/c"}]`, Invalid},
		{`[{"op":"replace","path":"","value":{}}]`, Invalid}, {`[{"op":"remove","path":""}]`, Invalid},
		{`[{"op":"test","path":"/x","value":1}]`, Failed}, {`[{"op":"test","path":"/a","value":1}]`, Failed},
		{`{"x":"` + strings.Repeat("x", 30) + `"}`, TooLarge},
		{`{"a":{"b":null,"c":{"d":{}}}}`, TooLarge},    // deep
		{`[{"op":"add","path":"/a/c","value":[]}]`, 0}, // just
		{`[{"op":"add","path":"/a/c","value":{"x":1}}]`, 0},
		{`[{"op":"add","path":"/a/c","value":[[]]}]`, TooLarge},       // deep
		{`[{"op":"add","path":"/c","value":[1,2,3]}]`, TooLarge},      // nodes
		{`{"a":1,"b":2,"c":3,"d":4}`, TooLarge},                       // operations
		{`[{"op":"remove","path":"/a/b/0/1/2/3/4/5/6/7"}]`, TooLarge}, // pointer
		{`{"long name, yes":1}`, TooLarge},                            // pointer
		{`[{"op":"test","path":"/a/b/0","value":1},{"op":"remove","path":"/a"},{"op":"add","path":"/c","value":[1,2,3]}]`, 0},
		{strings.Repeat("[", 100) + strings.Repeat("]", 100), TooLarge},
	} {
		got, _, err := try(doc, c.patch, small)
		var e *Error
		switch {
		case c.want == 0 && err != nil:
			t.Errorf("%s: %v", c.patch, err)
		case c.want != 0 && (!errors.As(err, &e) || e.Reason != c.want):
			t.Errorf("%s: %s, %v; want %d", c.patch, got.Text(), err, c.want)
		}
	}
	for _, text := range []string{`{"a":"` + strings.Repeat("x", 40) + `"}`, `[[[[]]]]`, `[1,1,1,1,1,1,1,1]`} {
		if _, err := Parse([]byte(text), small); err == nil || err.Reason != TooLarge {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestReplacement(t *testing.T) {
	t.Parallel()
	tree := parse(t, `{"a":[1,"x"]}`)
	p := Replacement(tree)
	again := patch(t, string(p.Text()), free)
	for _, p := range []*Patch{p, again} {
		got, touched, err := Apply(parse(t, `7`), p, free)
		if err != nil || !got.Equal(tree) || len(touched) != 1 || touched[0] != "" {
			t.Errorf("%s, %q, %v", got.Text(), touched, err)
		}
	}
}

package document

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
)

// A want of "" is an error.
func TestIncrement(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ doc, patch, want string }{
		{`{"n":1}`, `[{"op":"increment","path":"/n","value":2}]`, `{"n":3}`},
		{`{"n":1}`, `[{"op":"increment","path":"/n","value":-2.5}]`, `{"n":-1.5}`},
		{`{"n":1}`, `[{"op":"increment","path":"/n","value":0}]`, `{"n":1}`},
		{`{"n":1e2}`, `[{"op":"increment","path":"/n","value":1E1}]`, `{"n":110}`},
		{`{"n":-1}`, `[{"op":"increment","path":"/n","value":1}]`, `{"n":0}`},
		{`{"n":0.1}`, `[{"op":"increment","path":"/n","value":0.2}]`, `{"n":0.30000000000000004}`},
		{`{"n":9007199254740991}`, `[{"op":"increment","path":"/n","value":1}]`, `{"n":9007199254740992}`},
		{`{"n":9007199254740992}`, `[{"op":"increment","path":"/n","value":1}]`, `{"n":9007199254740992}`},
		{`{"n":1e21}`, `[{"op":"increment","path":"/n","value":1e21}]`, `{"n":2e+21}`},
		{`{"o":{}}`, `[{"op":"increment","path":"/o/n","value":5}]`, `{"o":{"n":5}}`},
		{`{"l":[1,2]}`, `[{"op":"increment","path":"/l/1","value":5}]`, `{"l":[1,7]}`},
		{`{"n":1}`, `[{"op":"increment","path":"/n","value":1},{"op":"increment","path":"/n","value":1},{"op":"test","path":"/n","value":3}]`, `{"n":3}`},
		{`{}`, `[{"op":"add","path":"/n","value":1},{"op":"increment","path":"/n","value":1}]`, `{"n":2}`},
		{`7`, `[{"op":"increment","path":"","value":1}]`, `8`},

		{`{"n":"1"}`, `[{"op":"increment","path":"/n","value":1}]`, ""},
		{`{"n":null}`, `[{"op":"increment","path":"/n","value":1}]`, ""},
		{`{"n":{}}`, `[{"op":"increment","path":"/n","value":1}]`, ""},
		{`{}`, `[{"op":"increment","path":"","value":1}]`, ""},
		{`{}`, `[{"op":"increment","path":"/o/n","value":1}]`, ""},
		{`{"l":[]}`, `[{"op":"increment","path":"/l/0","value":1}]`, ""},
		{`{"l":[1]}`, `[{"op":"increment","path":"/l/-","value":1}]`, ""},
		{`{"n":1.7e308}`, `[{"op":"increment","path":"/n","value":1.7e308}]`, ""},
		{`{"n":1}`, `[{"op":"increment","path":"/n"}]`, ""},
		{`{"n":1}`, `[{"op":"increment","path":"/n","value":null}]`, ""},
		{`{"n":1}`, `[{"op":"increment","path":"/n","value":"1"}]`, ""},
		{`{"n":1}`, `[{"op":"increment","path":"/n","value":1},{"op":"remove","path":"/x"}]`, ""},
	} {
		doc := parse(t, c.doc)
		got, _, err := try(doc, c.patch, Limits{Root: true})
		if (err != nil) != (c.want == "") || err == nil && string(got.Text()) != c.want {
			t.Errorf("%s\n%s\nmakes %s, %v; want %s", c.doc, c.patch, got.Text(), err, c.want)
		}
		if string(doc.Text()) != c.doc {
			t.Errorf("%s changed %s", c.patch, c.doc)
		}
	}
	for _, text := range []string{`[{"op":"increment","path":"","value":1}]`, `[{"op":"increment","path":"/n","value":1e999}]`} {
		if _, err := ParsePatch([]byte(text), Limits{}); err == nil || err.Reason != Invalid {
			t.Errorf("%s is accepted: %v", text, err)
		}
	}
}

// An increment comes together with others of its number, and collides with every other
// change of it.
func TestIncrementsMerge(t *testing.T) {
	t.Parallel()
	const inc = `{"op":"increment","path":"/o/n","value":1}`
	for _, c := range []struct{ theirs, mine, want string }{
		{"[" + inc + "]", "[" + inc + "]", `{"l":[1],"o":{"n":2}}`},
		{"[" + inc + "]", `[{"op":"increment","path":"/o/m","value":1}]`, `{"l":[1],"o":{"m":1,"n":1}}`},
		{"[" + inc + "]", `{"o":{"m":5}}`, `{"l":[1],"o":{"m":5,"n":1}}`},
		{`[{"op":"increment","path":"/l/0","value":1}]`, `[{"op":"increment","path":"/l/0","value":1},{"op":"add","path":"/l/-","value":9}]`, `{"l":[3,9],"o":{"n":0}}`},
		{`[{"op":"add","path":"/l/-","value":9}]`, `[{"op":"increment","path":"/l/0","value":1}]`, `{"l":[2,9],"o":{"n":0}}`},

		{"[" + inc + "]", `{"o":{"n":5}}`, ""},
		{"[" + inc + "]", `{"o":{"n":{"x":1}}}`, ""},
		{"[" + inc + "]", `{"o":null}`, ""},
		{"[" + inc + "]", `[{"op":"remove","path":"/o/n"}]`, ""},
		{"[" + inc + "]", `[` + inc + `,{"op":"replace","path":"/o/n","value":7}]`, ""},
		{`{"o":{"n":5}}`, "[" + inc + "]", ""},
		{`[` + inc + `,{"op":"replace","path":"/o/n","value":7}]`, "[" + inc + "]", ""},
		{`{"o":null}`, "[" + inc + "]", ""},
		{`[{"op":"add","path":"/o","value":{"n":3}}]`, "[" + inc + "]", ""},
		{`[{"op":"remove","path":"/o/n"}]`, "[" + inc + "]", ""},
		{`[{"op":"add","path":"/l/0","value":9}]`, `[{"op":"increment","path":"/l/0","value":1}]`, ""},
		// The element that it means is another one by now.
		{`[{"op":"add","path":"/l/-","value":9}]`, `[{"op":"add","path":"/l/-","value":0},{"op":"increment","path":"/l/1","value":1}]`, ""},
	} {
		s := history(t, 4, `{"o":{"n":0},"l":[1]}`, c.theirs)
		d := s.Decide(&Change{Base: 1, Patch: patch(t, c.mine, Limits{})}, Options{})
		switch {
		case c.want == "" && (d.Err == nil || d.Err.Reason != Conflict):
			t.Errorf("%s after %s: %s, %v; want a conflict", c.mine, c.theirs, d.Tree.Text(), d.Err)
		case c.want != "" && (d.Err != nil || string(d.Tree.Text()) != c.want):
			t.Errorf("%s after %s: %s, %v; want %s", c.mine, c.theirs, d.Tree.Text(), d.Err, c.want)
		}
	}
	s := history(t, 4, `{"n":0}`, `[{"op":"increment","path":"/n","value":1}]`)
	d := s.Decide(&Change{Base: 1, Patch: patch(t, `{"n":5}`, Limits{})}, Options{})
	if want := `somebody else has changed "/n"`; d.Err == nil || d.Err.Text != want {
		t.Errorf("%v; want %s", d.Err, want)
	}
}

// FuzzIncrement adds numbers in two orders, and compares with the sum that Go makes.
func FuzzIncrement(f *testing.F) {
	for _, c := range [][3]string{{"0", "1", "2"}, {"0.1", "0.2", "-0.3"}, {"9007199254740991", "1", "1"}, {"1e308", "1e308", "-1e308"}, {"-0", "0", "-0.0"}, {"1e-400", "5e-324", "1E+2"}} {
		f.Add(c[0], c[1], c[2])
	}
	f.Fuzz(func(t *testing.T, start, a, b string) {
		doc, err := Parse(fmt.Appendf(nil, `{"n":%s,"l":[%s]}`, start, start), Limits{})
		if err != nil || len(start)+len(a)+len(b) > 256 {
			return
		}
		for _, path := range []string{"/n", "/l/0"} {
			text := fmt.Sprintf(`[{"op":"increment","path":"%s","value":%s},{"op":"increment","path":"%s","value":%s}]`, path, a, path, b)
			p, err := ParsePatch([]byte(text), Limits{})
			if err != nil {
				continue
			}
			after, touched, err := Apply(doc, p, Limits{})
			checkIncrement(t, doc, path, p, after, err)
			if err == nil && !slices.Equal(touched, []string{path + "/~+", path + "/~+"}) {
				t.Fatalf("%s touches %q", text, touched)
			}
		}
	})
}

func checkIncrement(t *testing.T, doc Tree, path string, p *Patch, after Tree, err *Error) {
	t.Helper()
	number := func(v any) float64 {
		n, ok := v.(json.Number)
		x, e := n.Float64()
		if e != nil && !math.IsInf(x, 0) && ok {
			t.Fatal(e)
		}
		return x
	}
	at, _ := parsePointer(path, Limits{}.withDefaults())
	old, _ := (&edit{root: doc.root}).get(at)
	if _, ok := old.(json.Number); !ok {
		if err == nil {
			t.Fatalf("%s was incremented by %s", doc.Text(), p.Text())
		}
		return
	}
	first := number(old) + number(p.ops[0].value)
	want := first + number(p.ops[1].value)
	if math.IsInf(first, 0) || math.IsInf(want, 0) {
		if err == nil {
			t.Fatalf("%s\n%s\nmakes %s", doc.Text(), p.Text(), after.Text())
		}
		return
	}
	if err != nil {
		t.Fatalf("%s\n%s\n%v", doc.Text(), p.Text(), err)
	}
	now, _ := (&edit{root: after.root}).get(at)
	if got := number(now); got != want {
		t.Fatalf("%s\n%s\nmakes %v, want %v", doc.Text(), p.Text(), got, want)
	}
	if text := after.Text(); len(text) != after.Size() || after.cost != newTree(after.root).cost {
		t.Fatalf("%s: counted %+v", text, after.cost)
	}
}

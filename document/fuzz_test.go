package document

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
)

func seeds(f *testing.F) {
	for _, c := range slices.Concat(jsonPatches, conformance, mergePatches) {
		f.Add([]byte(c.doc), []byte(c.patch))
	}
	f.Add([]byte(`{"a":[{"b":1},{"c":[1,2]}]}`), []byte(`[{"op":"copy","from":"/a","path":"/a/1/c/-"},{"op":"remove","path":"/a/0"},{"op":"move","from":"/a/0/c","path":"/b"}]`))
	f.Add([]byte(`{"a":[1,{"b":2}]}`), []byte(`[{"op":"increment","path":"/a/0","value":1},{"op":"increment","path":"/a/1/c","value":1e3},{"op":"copy","from":"/a","path":"/a/1/b"},{"op":"increment","path":"/a/0","value":-2}]`))
	f.Add([]byte(`{"a":{"b":{"c":1}},"d":null}`), []byte(`{"a":{"b":{"c":null,"x":{"y":null}},"n":[{}]},"d":{"e":{}}}`))
}

// FuzzApply compares with another implementation, and holds every result to what
// must be true of it in any case.
func FuzzApply(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, doc, patch []byte) {
		if len(doc)+len(patch) > 4<<10 {
			return
		}
		before, err := Parse(doc, free)
		if err != nil {
			return
		}
		text := string(before.Text())
		if again, err := Parse([]byte(text), free); err != nil || !again.Equal(before) || len(text) != before.Size() {
			t.Fatalf("%s is not %s: %v", text, doc, err)
		}
		p, err := ParsePatch(patch, free)
		if err != nil {
			return
		}
		after, touched, err := Apply(before, p, free)
		if string(before.Text()) != text {
			t.Fatalf("%s changed %s into %s", patch, text, before.Text())
		}
		if err != nil {
			return
		}
		result := after.Text()
		if after.Size() != len(result) || after.cost != newTree(after.root).cost {
			t.Fatalf("%s: counted %+v", result, after.cost)
		}
		if len(touched) == 0 && string(result) != text {
			t.Fatalf("%s touches nothing and makes %s of %s", patch, result, text)
		}
		compareWithOracle(t, text, p, after)
	})
}

// compareWithOracle demands that what was made here is made there, with the same
// result. The other way round there are differences on purpose.
func compareWithOracle(t *testing.T, doc string, p *Patch, got Tree) {
	t.Helper()
	var want []byte
	var err error
	if p.merge != nil {
		want, err = mergeOracle(doc, p)
	} else {
		want, err = oracle(doc, p)
	}
	if errors.Is(err, errKnown) {
		return
	}
	if err != nil {
		t.Fatalf("%s\n%s\nmakes %s here and fails there: %v", doc, p.text, got.Text(), err)
	}
	if tree, e := Parse(want, unbounded()); e != nil || !tree.Equal(got) {
		t.Fatalf("%s\n%s\nmakes %s here, and there %s (%v)", doc, p.text, got.Text(), want, e)
	}
}

// errKnown marks what the oracle is known to get wrong.
var errKnown = errors.New("known")

func mergeOracle(doc string, p *Patch) ([]byte, error) {
	if doc[0] != '{' || hasNullInArray(p.merge, false) {
		return nil, errKnown // takes objects only, and deletes from arrays
	}
	return jsonpatch.MergePatch([]byte(doc), p.text)
}

func hasNullInArray(v any, inside bool) bool {
	switch v := v.(type) {
	case nil:
		return inside
	case *object:
		for _, inner := range v.members {
			if hasNullInArray(inner, inside) {
				return true
			}
		}
	case *array:
		for _, inner := range v.items {
			if hasNullInArray(inner, true) {
				return true
			}
		}
	}
	return false
}

func oracle(doc string, p *Patch) ([]byte, error) {
	if doc[0] != '{' && doc[0] != '[' {
		return nil, errKnown // takes containers only
	}
	for _, op := range p.ops {
		if len(op.path) == 0 || len(op.from) == 0 && (op.op == "move" || op.op == "copy") {
			return nil, errKnown // treats the whole document in ways of its own
		}
		if slices.Contains(op.path, "") || slices.Contains(op.from, "") {
			return nil, errKnown // mistakes a member without a name for its object
		}
		if op.op == "increment" {
			return nil, errKnown // has no such operation
		}
		if op.op == "test" {
			return nil, errKnown // compares numbers as texts, and null with nothing
		}
	}
	decoded, err := jsonpatch.DecodePatch(p.text)
	if err != nil {
		return nil, err
	}
	o := jsonpatch.NewApplyOptions()
	o.SupportNegativeIndices = false
	return decoded.ApplyWithOptions([]byte(doc), o)
}

// FuzzLimits holds that a patch within limits makes a document within limits.
func FuzzLimits(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, doc, patch []byte) {
		l := Limits{Size: 200, Depth: 4, Nodes: 12, Operations: 4, Pointer: 16, Move: true, Root: true}
		before, err := Parse(doc, l)
		if err != nil {
			return
		}
		p, err := ParsePatch(patch, l)
		if err != nil {
			return
		}
		after, touched, err := Apply(before, p, l)
		if err != nil {
			return
		}
		if _, err = Parse(after.Text(), l); err != nil {
			t.Fatalf("%s made of %s: %v", after.Text(), doc, err)
		}
		for _, path := range touched {
			if path, _ = incremented(path); len(path) > l.Pointer {
				t.Fatalf("%s touches %q", patch, path)
			}
		}
	})
}

// FuzzEncode compares with encoding/json.
func FuzzEncode(f *testing.F) {
	for _, c := range jsonPatches {
		f.Add([]byte(c.patch))
	}
	f.Add([]byte(`{"\u0000\u001f\u007f\u2027\u2028\u2029\u202a\ud800":[1e5,-0.0,true,false,null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		tree, err := Parse(text, free)
		if err != nil {
			return
		}
		var got, want any
		if e := json.Unmarshal(text, &want); e != nil {
			return // a number that is out of range there
		}
		if e := json.Unmarshal(tree.Text(), &got); e != nil {
			t.Fatalf("%s became %s: %v", text, tree.Text(), e)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			t.Fatalf("%s became %s", text, tree.Text())
		}
	})
}

package document

import (
	"fmt"
	"strings"
	"testing"
)

// What JavaScript makes of some values: the text, and the hash by the code in
// docs/protocol.md.
var canonical = []struct{ doc, text, hash string }{
	{`{}`, `{}`, "5465b825"},
	{`[]`, `[]`, "741638a5"},
	{`null`, `null`, "77074ba4"},
	{`{"b":1,"a":{"d":[true,false,null],"c":"x"}}`, `{"a":{"c":"x","d":[true,false,null]},"b":1}`, "dda47182"},
	{`{"10":1,"9":2,"a":3,"":4}`, `{"":4,"10":1,"9":2,"a":3}`, "9b7f10d8"},
	{`[1.0,1e2,-0,-0.0,0.1,1e21,123456789012345680000,1e-6,1e-7,1.5e-9,12345678901234567890,1e400,-1e400,5e-324,1e-400,4.35,100000000000000000000,0.000001]`, `[1,100,0,0,0.1,1e+21,123456789012345680000,0.000001,1e-7,1.5e-9,12345678901234567000,null,null,5e-324,0,4.35,100000000000000000000,0.000001]`, "a1b9e2e9"},
	{`"\u0000\b\f\n\r\t\u001f\u007f\"\\/\u00e4\u2028\u2029\ud83d\ude00"`, "\"\\u0000\\b\\f\\n\\r\\t\\u001f\x7f\\\"\\\\/\u00e4\u2028\u2029\U0001f600\"", "a0b02e5f"},
	{`{"\ufb33":1,"\ud83d\ude00":2,"\u20ac":3,"z":4,"\uffff":5}`, "{\"z\":4,\"\u20ac\":3,\"\U0001f600\":2,\"\ufb33\":1,\"\uffff\":5}", "fbcc449c"},
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, c := range canonical {
		tree := parse(t, c.doc)
		if got := string(appendCanonical(nil, tree.root)); got != c.text {
			t.Errorf("%s is %s, want %s", c.doc, got, c.text)
		}
		if got := fmt.Sprintf("%08x", tree.Hash()); got != c.hash {
			t.Errorf("%s has the hash %s, want %s", c.doc, got, c.hash)
		}
	}
}

// A node whose state is not what it should be finds out with the next hash, and reads
// the document anew; one that finds the log itself wrong goes with the log.
func TestServiceDiverges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hash  uint32 // of the entry, in place of the right one
		found uint64
	}{
		"this node is wrong":   {0, 1},
		"the author was wrong": {7, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLibrary(t)
			l.change(Change{}, `{"a":1}`)
			right := parse(t, `{"a":1,"b":2}`)
			if c.hash == 0 {
				l.cache.docs["d"].state.Tree = parse(t, `{"a":0}`)
				c.hash = right.Hash()
			}
			e := Entry{Version: 2, Key: "k", Patch: []byte(`{"b":2}`), Touched: []string{"/b"}, Hash: c.hash}
			l.shelf.put("d", Commit{Epoch: "e", Entry: e})
			l.reads(2, string(right.Text()))
			l.change(Change{Base: 2}, `{"c":3}`)
			if n := l.Divergences(); n != c.found {
				t.Errorf("%d divergences, want %d", n, c.found)
			}
			if log := l.logs.String(); !strings.Contains(log, "read anew") || !strings.Contains(log, "channel=d") {
				t.Errorf("the log says %q", log)
			}
		})
	}
}

// Some changes come with the hash of the state that everybody else has after them.
func TestServiceHashes(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	for i := range 3 * hashEvery {
		l.change(Change{Base: uint64(i)}, fmt.Sprintf(`{"n%d":%d}`, i%7, i))
	}
	hashes := 0
	for _, n := range l.news {
		if n.Entry.Hash != 0 {
			hashes++
		}
	}
	if hashes != 3 {
		t.Errorf("%d of %d changes have a hash", hashes, len(l.news))
	}
	fresh := newLibrary(t)
	fresh.shelf.snapshot, fresh.shelf.base, fresh.shelf.entries = l.shelf.snapshot, l.shelf.base, l.shelf.entries
	fresh.reads(3*hashEvery, string(l.cache.docs["d"].text()))
	if fresh.Divergences() != 0 || l.Divergences() != 0 {
		t.Error("they differ")
	}
}

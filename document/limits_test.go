package document

import (
	"strings"
	"testing"
)

// Each limit is the greatest value that is accepted.
func TestLimitsAreInclusive(t *testing.T) {
	t.Parallel()
	empty := parse(t, `{}`)
	for _, c := range []struct {
		name  string
		patch string
		exact Limits
		less  Limits
	}{
		{"size", `{"a":"xx"}`, Limits{Size: 10}, Limits{Size: 9}},
		{"depth", `{"a":{"b":1}}`, Limits{Depth: 2}, Limits{Depth: 1}},
		{"values", `{"a":1,"b":[2]}`, Limits{Nodes: 4}, Limits{Nodes: 3}},
		{"operations of a merge", `{"a":1,"b":{"c":2,"d":null}}`, Limits{Operations: 3}, Limits{Operations: 2}},
		{"operations", `[{"op":"add","path":"/a","value":1},{"op":"remove","path":"/a"}]`, Limits{Operations: 2}, Limits{Operations: 1}},
		{"path of a merge", `{"abc":1}`, Limits{Pointer: 4}, Limits{Pointer: 3}},
		{"path", `[{"op":"add","path":"/abc","value":1}]`, Limits{Pointer: 4}, Limits{Pointer: 3}},
	} {
		if _, _, err := try(empty, c.patch, c.exact); err != nil {
			t.Errorf("%s at the limit: %v", c.name, err)
		}
		if _, _, err := try(empty, c.patch, c.less); err == nil || err.(*Error).Reason != TooLarge {
			t.Errorf("%s above the limit: %v", c.name, err)
		}
	}
	for _, c := range []struct {
		text        string
		exact, less Limits
	}{
		{`{"a":"xx"}`, Limits{Size: 10}, Limits{Size: 9}},
		{`{"a":{"b":1}}`, Limits{Depth: 2}, Limits{Depth: 1}},
		{`{"a":1,"b":[2]}`, Limits{Nodes: 4}, Limits{Nodes: 3}},
	} {
		if _, err := Parse([]byte(c.text), c.exact); err != nil {
			t.Errorf("%s at the limit: %v", c.text, err)
		}
		if _, err := Parse([]byte(c.text), c.less); err == nil || err.Reason != TooLarge {
			t.Errorf("%s above the limit: %v", c.text, err)
		}
	}
}

// A patch may hold as many values and levels as a document, and on top of that its operations, with a value each.
func TestPatchAtTheLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		patch string
		exact Limits
		less  Limits
	}{
		{"levels", `[{"op":"add","path":"/a","value":[[1]]}]`, Limits{Depth: 2}, Limits{Depth: 1}},
		{"values", `[{"op":"add","path":"/a","value":[1,2,3]},{"op":"add","path":"/b","value":[4]},{"op":"test","path":"/a/0","value":1}]`,
			Limits{Nodes: 4, Operations: 3}, Limits{Nodes: 3, Operations: 3}},
	} {
		if _, err := ParsePatch([]byte(c.patch), c.exact); err != nil {
			t.Errorf("%s at the limit: %v", c.name, err)
		}
		if _, err := ParsePatch([]byte(c.patch), c.less); err == nil || err.Reason != TooLarge {
			t.Errorf("%s above the limit: %v", c.name, err)
		}
	}
}

func TestParseIndex(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"0": 0, "9": 9, "10": 10, "11": -1, "": -1, "00": -1, "01": -1, "-": -1, "-1": -1, "+1": -1, "1x": -1, "/": -1, ":": -1} {
		if n, ok := parseIndex(text, 10); ok != (want >= 0) || ok && n != want {
			t.Errorf("%q: %d, %t", text, n, ok)
		}
	}
}

// An error quotes at most 48 bytes of a patch.
func TestQuoteOfAPatch(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		strings.Repeat("x", 48): `"` + strings.Repeat("x", 48) + `"`,
		strings.Repeat("x", 49): `"` + strings.Repeat("x", 48) + `"…`,
	} {
		if got := quote(text); got != want {
			t.Errorf("%s became %s", text, got)
		}
	}
}

package document

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestWeightIsThatOfMemory holds the estimate of a document's memory, by which the cache is
// bounded, to what documents take that were made to take much. Not parallel, because it
// measures.
func TestWeightIsThatOfMemory(t *testing.T) {
	const documents = 20
	var wide []string
	for i := range 9000 {
		wide = append(wide, fmt.Sprintf(`"%x":0`, i))
	}
	for name, state := range map[string]string{
		"small objects": repeated(`{"a":0}`, 4900),
		"empty objects": repeated(`{}`, 9900),
		"small arrays":  repeated(`[0]`, 4900),
		"numbers":       repeated(`0`, 9900),
		"strings":       repeated(`"ab"`, 9900),
		"a long string": `{"a":"` + strings.Repeat("x", 200<<10) + `"}`,
		"many members":  "{" + strings.Join(wide, ",") + "}",
	} {
		before := inUse()
		var kept []*doc
		for range documents {
			tree, e := Parse([]byte(state), Limits{})
			if e != nil {
				t.Fatal(e)
			}
			kept = append(kept, &doc{state: State{Tree: tree}})
		}
		took := int(inUse()-before) / documents
		if weight := kept[0].weight(); took > 2*weight || took < weight/8 {
			t.Errorf("%s: %d bytes of text take %d bytes, and weigh %d", name, len(state), took, weight)
		}
		runtime.KeepAlive(kept)
	}
}

// The text of the state and the kept changes are memory of a document as well.
func TestWeightCountsTextAndLog(t *testing.T) {
	t.Parallel()
	var d doc
	empty := d.weight()
	d.written = make([]byte, 1000)
	if got := d.weight() - empty; got != 1000 {
		t.Errorf("a text of 1000 bytes weighs %d", got)
	}
	d.state.bytes = 20_000
	if got := d.weight() - empty; got != 21_000 {
		t.Errorf("a text of 1000 bytes and changes of 20000 weigh %d", got)
	}
}

func TestEntryBytesCountAllTexts(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 50)
	for name, e := range map[string]Entry{
		"key": {Key: text}, "author": {Author: text}, "patch": {Patch: []byte(text)}, "path": {Touched: []string{text[16:]}},
	} {
		if got := e.Bytes() - entryBytes; got != 50 {
			t.Errorf("%s: %d", name, got)
		}
	}
	e := Entry{Key: text, Author: text, Patch: []byte(text), Touched: []string{text[16:], text[16:]}}
	if got := e.Bytes() - entryBytes; got != 250 {
		t.Errorf("all: %d", got)
	}
}

func repeated(value string, n int) string {
	return `{"a":[` + strings.TrimSuffix(strings.Repeat(value+",", n), ",") + `]}`
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

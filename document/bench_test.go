package document

import (
	"fmt"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
)

// board is a document of rows, each of about 90 bytes.
func board(rows int) string {
	var b strings.Builder
	b.WriteString(`{"title":"board","rows":{`)
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"row-%04d":{"name":"something to do","done":false,"tags":["a","b"],"order":%d}`, i, i)
	}
	return b.String() + "}}"
}

func BenchmarkApply(b *testing.B) {
	text := []byte(`[{"op":"replace","path":"/rows/row-0003/done","value":true}]`)
	merging := []byte(`{"rows":{"row-0003":{"done":true}}}`)
	for _, rows := range []int{10, 100, 1000} {
		doc := board(rows)
		tree, err := Parse([]byte(doc), Limits{})
		if err != nil {
			b.Fatal(err)
		}
		for name, text := range map[string][]byte{"json-patch": text, "merge-patch": merging} {
			b.Run(fmt.Sprintf("%s/%dKiB/own", name, len(doc)>>10), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					p, err := ParsePatch(text, Limits{})
					if err != nil {
						b.Fatal(err)
					}
					if _, _, err := Apply(tree, p, Limits{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("json-patch/%dKiB/evanphx", len(doc)>>10), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := jsonpatch.DecodePatch(text)
				if err != nil {
					b.Fatal(err)
				}
				if _, err = p.Apply([]byte(doc)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("merge-patch/%dKiB/evanphx", len(doc)>>10), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := jsonpatch.MergePatch([]byte(doc), merging); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("text/%dKiB", len(doc)>>10), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tree.Text()
			}
		})
	}
}

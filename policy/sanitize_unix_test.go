//go:build unix

package policy

import (
	"strings"
	"testing"
	"time"
)

// A text that is built to be cleaned again and again must not cost more than its
// length. Made to the end, the passes of the first one take many seconds. They are
// seconds of the processors, so that nothing else may run in this process meanwhile.
func TestSanitizeIsLinear(t *testing.T) {
	const n = 8 << 10
	for name, s := range map[string]string{
		"nested":   strings.Repeat("<", n) + strings.Repeat("b>", n),
		"open":     strings.Repeat("<a ", n),
		"comments": strings.Repeat("<!--", n),
		"scripts":  strings.Repeat("<script></", n),
		"entities": strings.Repeat("&amp;", n) + "<b>",
	} {
		before := processorTime()
		if got := plainText(s); hasTag(got) {
			t.Errorf("%s: a tag is left", name)
		}
		if again := harmless(harmless(s)); again != harmless(s) {
			t.Errorf("%s: not stable", name)
		}
		if took := processorTime() - before; took > 5*time.Second {
			t.Errorf("%s: took %v of the processors", name, took)
		}
	}
}

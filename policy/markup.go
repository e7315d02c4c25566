package policy

import (
	"html"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
)

// The sets of what is kept. They are made when a room first needs them and may be
// used by several goroutines at once.
var (
	nothing = sync.OnceValue(bluemonday.StrictPolicy)
	subset  = sync.OnceValue(bluemonday.UGCPolicy)
)

// maxPasses is how often a string is cleaned before it counts as an attack. To
// remove a tag can make another one of what stood around it, "<<b>i>", so that
// cleaning goes on until nothing changes. A text can be built to need thousands of
// passes; honest ones need two.
const maxPasses = 4

// plainText removes all markup from a text. The result has none, also for a
// second look.
//
// The sanitizer speaks HTML, where & begins an entity: it would turn what somebody
// wrote about "&lt;b&gt;" into a tag, or else a plain & into "&amp;". So each & is
// put aside as a character that is in no text, and the escapes of the result are
// the sanitizer's own, which can be taken back.
func plainText(s string) string {
	if !mayHaveTag(s) {
		return s
	}
	ampersand := unusedCharacter(s)
	clean := unixLines.Replace(strings.ReplaceAll(s, "&", ampersand))
	for pass := range maxPasses {
		next := html.UnescapeString(nothing().Sanitize(clean))
		if next == clean && pass == 0 {
			return s // with its own line ends
		}
		if next == clean {
			return strings.ReplaceAll(clean, ampersand, "&")
		}
		clean = next
	}
	return strings.ReplaceAll(strings.ReplaceAll(clean, ampersand, "&"), "<", "")
}

// unixLines does to line ends what the sanitizer does, to see if it did more.
var unixLines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// mayHaveTag reports whether a "<" stands where HTML lets a tag or comment begin.
func mayHaveTag(s string) bool {
	for {
		_, after, found := strings.Cut(s, "<")
		if !found || after == "" {
			return false
		}
		if c := after[0] | 0x20; 'a' <= c && c <= 'z' || strings.IndexByte("/!?", after[0]) >= 0 {
			return true
		}
		s = after
	}
}

// unusedCharacter gives one of the code points that Unicode keeps out of texts.
// The last one serves in a text that has them all, which is none: there a few
// characters of nonsense may become ampersands.
func unusedCharacter(s string) string {
	const first, last = '\ufdd0', '\ufdef'
	for r := first; r < last; r++ {
		if !strings.ContainsRune(s, r) {
			return string(r)
		}
	}
	return string(last)
}

// harmless removes from a piece of HTML what may do harm. It changes nothing in its
// own result.
func harmless(s string) string {
	switch {
	case !strings.ContainsAny(s, "&<>'\"\r"):
		return s
	case !mayHaveTag(s):
		return subset().Sanitize(s) // escapes, and finds nothing to do in the result
	}
	for range maxPasses {
		next := subset().Sanitize(s)
		if next == s {
			return s
		}
		s = next
	}
	return subset().Sanitize(strings.ReplaceAll(s, "<", ""))
}

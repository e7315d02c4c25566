package policy

import (
	"html"
	"regexp"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
)

// The sets of markup that is kept. Each is made when a room first needs it. Several
// goroutines may use it at once.
var (
	nothing = sync.OnceValue(bluemonday.StrictPolicy)
	subset  = sync.OnceValue(harmlessPolicy)
)

// harmlessPolicy keeps what formats a text, links, lists, tables and images. It keeps no
// id, name or class, and no attribute that refers to an id: scripts and styles of the page
// find elements by these, and would find an element of the message. Otherwise it is the
// policy that bluemonday recommends for what users write, without image maps, which need
// names.
func harmlessPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowStandardURLs()
	p.AllowImages()
	p.AllowLists()
	p.AllowElements(
		"article", "aside", "figure", "section", "summary", "h1", "h2", "h3", "h4", "h5", "h6", "hgroup",
		"br", "div", "hr", "p", "span", "wbr",
		"abbr", "acronym", "cite", "code", "dfn", "em", "figcaption", "mark", "s", "samp", "strong", "sub", "sup", "var",
		"b", "i", "pre", "small", "strike", "tt", "u", "rp", "rt", "ruby",
	)
	p.AllowAttrs("title").Matching(bluemonday.Paragraph).Globally()
	p.AllowAttrs("dir").Matching(bluemonday.Direction).Globally()
	p.AllowAttrs("lang").Matching(language).Globally()
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("cite").OnElements("blockquote", "q", "del", "ins")
	p.AllowAttrs("datetime").Matching(bluemonday.ISO8601).OnElements("time", "del", "ins")
	p.AllowAttrs("open").Matching(openOrNot).OnElements("details")
	p.AllowAttrs("value", "min", "max", "low", "high", "optimum").Matching(bluemonday.Number).OnElements("meter", "progress")
	allowTables(p)
	return p
}

var (
	language  = regexp.MustCompile(`^[a-zA-Z0-9-]{2,35}$`)
	openOrNot = regexp.MustCompile(`(?i)^(|open)$`)
	scope     = regexp.MustCompile(`(?i)^(row|col)(group)?$`)
)

// allowTables does not allow the attribute headers, because it refers to the ids of cells.
func allowTables(p *bluemonday.Policy) {
	columns, rows, cells := []string{"col", "colgroup"}, []string{"thead", "tbody", "tfoot", "tr"}, []string{"td", "th"}
	p.AllowElements("caption")
	p.AllowElements(rows...)
	p.AllowElements(cells...)
	p.AllowAttrs("summary").Matching(bluemonday.Paragraph).OnElements("table")
	p.AllowAttrs("height", "width").Matching(bluemonday.NumberOrPercent).OnElements("table", "col", "colgroup", "td", "th")
	p.AllowAttrs("span").Matching(bluemonday.Integer).OnElements(columns...)
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements(cells...)
	p.AllowAttrs("abbr").Matching(bluemonday.Paragraph).OnElements(cells...)
	p.AllowAttrs("scope").Matching(scope).OnElements(cells...)
	for _, elements := range [][]string{columns, rows, cells} {
		p.AllowAttrs("align").Matching(bluemonday.CellAlign).OnElements(elements...)
		p.AllowAttrs("valign").Matching(bluemonday.CellVerticalAlign).OnElements(elements...)
	}
}

// maxPasses is how often a string is cleaned before it counts as an attack. Removing a tag
// can make another one from the text around it, as in "<<b>i>", so cleaning is repeated
// until nothing changes. A text can be built to need thousands of passes. Honest texts need
// two.
const maxPasses = 4

// plainText removes all markup from a text. The result has none, even if it is cleaned
// again.
//
// The sanitizer reads HTML, where & starts an entity. It would turn a text about
// "&lt;b&gt;" into a tag, or a plain & into "&amp;". So plainText replaces each & by a
// character that the text does not have. All escapes of the result are then the sanitizer's
// own and can be undone.
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

// unixLines changes line ends as the sanitizer does, to see whether it changed anything
// else.
var unixLines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// mayHaveTag reports whether a text has a "<" where HTML lets a tag or comment start.
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

// nonCharacters are code points that Unicode keeps out of texts.
const nonCharacters = "\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4\ufdd5\ufdd6\ufdd7\ufdd8\ufdd9\ufdda\ufddb\ufddc\ufddd\ufdde\ufddf" +
	"\ufde0\ufde1\ufde2\ufde3\ufde4\ufde5\ufde6\ufde7\ufde8\ufde9\ufdea\ufdeb\ufdec\ufded\ufdee\ufdef"

// unusedCharacter returns one of nonCharacters that s does not have. If s has all of them it
// returns the last one; some of these characters become ampersands then, in a text that is
// nonsense anyway.
func unusedCharacter(s string) (character string) {
	for _, r := range nonCharacters {
		if character = string(r); !strings.Contains(s, character) {
			break
		}
	}
	return character
}

// harmless removes what may do harm from a piece of HTML. It changes nothing in its own
// result.
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

package protocol

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var strs = []string{
	"", "plain", `quote " and \`, "\x00\x01\b\f\n\r\t\x1f\x7f", "<a href='x'>&amp;</a>", "Grüße, 世界 😀", "\u2028 and \u2029",
	"broken \xff\xc3 bytes", "\xed\xa0\x80", "\ufffd", "end \xe4\xb8", "\u202e", strings.Repeat("long ", 100),
}

func FuzzAppendString(f *testing.F) {
	for _, s := range strs {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, want := AppendString(nil, s), marshal(t, s)
		if !bytes.Equal(got, want) {
			t.Fatalf("%q: %s, want %s", s, got, want)
		}
		if back, ok := unquote(got); !ok || back != strings.ToValidUTF8(s, "\ufffd") && utf8.ValidString(s) {
			t.Fatalf("%q came back as %q", s, back)
		}
	})
}

// marshal is what encoding/json makes of v when it is not asked to think of HTML.
func marshal(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func FuzzUnquote(f *testing.F) {
	for _, s := range texts {
		f.Add([]byte(s))
	}
	for _, s := range []string{`"\ud83d\ude00"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\ud83d\u0041"`, `"\uFFFD"`, `"\u0000\/"`, `"\ud83dx\ude00"`, `"\ud83d\\ude00"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		text = bytes.TrimSpace(text)
		var want string
		if _, err := scan(text); err != nil || text[0] != '"' || json.Unmarshal(text, &want) != nil {
			return
		}
		got, ok := unquote(text)
		if whole := pairs(text); ok != whole {
			t.Fatalf("%s: whole: %t, want %t", text, ok, whole)
		}
		if got != want {
			t.Fatalf("%s: %q, want %q", text, got, want)
		}
		if string(unquoted(text)) != want {
			t.Fatalf("%s: %q, want %q", text, unquoted(text), want)
		}
	})
}

var (
	character = regexp.MustCompile(`(?s)\\u[0-9a-fA-F]{4}|\\.|[^\\]`)
	high      = regexp.MustCompile(`^\\u[dD][89abAB]`)
	low       = regexp.MustCompile(`^\\u[dD][c-fC-F]`)
)

// pairs reports whether all surrogates in a JSON string come in pairs.
func pairs(text []byte) bool {
	open := false
	for _, c := range character.FindAll(text, -1) {
		if low.Match(c) != open {
			return false
		}
		open = high.Match(c)
	}
	return !open
}

func TestHexDigit(t *testing.T) {
	t.Parallel()
	for c, want := range map[byte]int{'0': 0, '9': 9, 'a': 10, 'f': 15, 'A': 10, 'F': 15, '/': -1, ':': -1, '@': -1, 'G': -1, '`': -1, 'g': -1} {
		if d, ok := hexDigit(c); ok != (want >= 0) || ok && int(d) != want {
			t.Errorf("%q: %d, %t", c, d, ok)
		}
	}
	for text, want := range map[string]string{`"\u00e9"`: "\u00e9", `"\u00E9"`: "\u00e9", `"\uABCF\uabcf"`: "\uabcf\uabcf"} {
		if got, ok := unquote([]byte(text)); !ok || got != want {
			t.Errorf("%s: %q, %t", text, got, ok)
		}
	}
}

package protocol

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// texts are seeds for everything that reads JSON.
var texts = []string{
	``, ` `, `null`, `true`, `false`, `tru`, `nul`, `nulll`, `0`, `-0`, `01`, `-`, `1.`, `.5`, `1.5e+10`, `1e`, `1E-`, `+1`, `0x1`,
	`""`, `"a`, `"\`, `"\u12`, `"\u12G4"`, `"\ud83d\ude00"`, `"\ud800"`, `"\x"`, "\"\n\"", "\"\x7f\"", "\"\xff\"", "\"\u2028\"", `"\"\\\/\b\f\n\r\t"`,
	`[]`, `[1]`, `[1,]`, `[,1]`, `[1 2]`, `[1,2`, `[`, `]`, `[[[]]]`, ` [ 1 , 2 ] `,
	`{}`, `{"a":1}`, `{"a":1,}`, `{,"a":1}`, `{"a"}`, `{"a":}`, `{a:1}`, `{'a':1}`, `{"a":1 "b":2}`, `{`, `}`, `{"a":{"b":[1,{"c":null}]}}`,
	`{"a":1}x`, `{}{}`, "\ufeff{}", "{\"a\":\r\n\t1}", `[NaN]`, `[Infinity]`, `/**/1`, "\x00", "[\"\x00\"]", "1\x00",
}

func FuzzScan(f *testing.F) {
	for _, t := range texts {
		f.Add([]byte(t))
	}
	f.Add([]byte(strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)))
	f.Add([]byte(strings.Repeat(`{"a":`, MaxDepth+1) + "1" + strings.Repeat("}", MaxDepth+1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := scan(text)
		if err == nil {
			if !json.Valid(text) || !utf8.Valid(text) || depth(text) > MaxDepth {
				t.Fatalf("accepted %q", text)
			}
			checkCompact(t, text, s.spaced > 0)
			return
		}
		if err.Code == InvalidJSON && json.Valid(text) && utf8.Valid(text) {
			t.Fatalf("%q is JSON, but: %v", text, err)
		}
		if err.Code == InvalidMessage && depth(text) <= MaxDepth {
			t.Fatalf("%q is not too deep, but: %v", text, err)
		}
		checkPublic(t, err)
	})
}

// depth counts the levels that are open at once in a prefix of text; a simpler
// way to know them than the one under test.
func depth(text []byte) (deepest int) {
	var open int
	var quoted bool
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '{' || c == '['):
			open++
			deepest = max(deepest, open)
		case !quoted && (c == '}' || c == ']'):
			open--
		}
	}
	return deepest
}

// TestCompactKeepsNoSpace: what is kept of a content takes no more memory for the white
// space that stood in it.
func TestCompactKeepsNoSpace(t *testing.T) {
	t.Parallel()
	checkCompact(t, []byte("[1,"+strings.Repeat(" ", 60_000)+"2]"), true)
}

func checkCompact(t *testing.T, text []byte, spaced bool) {
	t.Helper()
	var want bytes.Buffer
	if err := json.Compact(&want, text); err != nil {
		t.Fatal(err)
	}
	got := compact(text, spaced)
	if !bytes.Equal(got, want.Bytes()) {
		t.Fatalf("compact form of %q: %q, want %q", text, got, want.Bytes())
	}
	if cap(got) > 2*len(got)+64 {
		t.Fatalf("compact form of %q: keeps %d bytes for %d", text, cap(got), len(got))
	}
	if spaced != (len(got) != len(text)) {
		t.Fatalf("%q: white space found: %t", text, spaced)
	}
}

// checkPublic checks what every error must keep to: it has a code of the table and
// is printable text on one line, however odd the input was.
func checkPublic(t *testing.T, e *Error) {
	t.Helper()
	if e.Code.Info().Status == 500 {
		t.Errorf("error of a client with code %s", e.Code)
	}
	if e.Message == "" || len(e.Message) > 400 || !utf8.ValidString(e.Message) || strings.ContainsFunc(e.Message, isInvisible) {
		t.Errorf("message %q is not fit to be shown", e.Message)
	}
}

func TestScanSaysWhere(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"type":}`:             "not valid JSON at byte 8: expected a value",
		`{"type"`:               "not valid JSON: it ends too early, at byte 7: expected a colon after the field name",
		`{"a":1,}`:              "not valid JSON at byte 7: expected a field name in double quotes",
		`[1 2]`:                 "not valid JSON at byte 3: expected a comma or the end of the array",
		`{} {}`:                 "not valid JSON at byte 3: nothing may follow the end of the JSON text",
		"\"a\tb\"":              "not valid JSON at byte 2: control characters in strings must be escaped",
		`"\u00zz"`:              "not valid JSON at byte 5: expected four hexadecimal digits",
		"\"ab\xffc\"":           "not valid UTF-8 at byte 3",
		"\"\ufffd\xc3":          "not valid UTF-8 at byte 4",
		strings.Repeat("[", 65): "nested more than 64 levels deep at byte 64",
	} {
		if _, err := scan([]byte(text)); err == nil || err.Message != want {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestDepthIsNotLength(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"[" + strings.Repeat("[],", 100) + "[]]",
		strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth),
		`{"a":` + strings.Repeat("[", MaxDepth-1) + strings.Repeat("]", MaxDepth-1) + `,"b":{}}`,
	} {
		if _, err := scan([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	// The envelope is a level too.
	deepest := strings.Repeat("[", MaxDepth-2) + strings.Repeat("]", MaxDepth-2)
	for content, ok := range map[string]bool{deepest: true, "[" + deepest + "]": false} {
		if _, err := Decode([]byte(`{"type":"message","payload":{"content":` + content + `}}`)); (err == nil) != ok {
			t.Errorf("%d levels of content: %v", depth([]byte(content)), err)
		}
	}
}

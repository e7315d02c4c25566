package policy

import (
	"strings"
	"sync"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestCheckNothing(t *testing.T) {
	t.Parallel()
	content := []byte(`{"a":"<b>"}`)
	for name, r := range map[string]*Room{"no block": nil, "no rules": checked(t, Room{})} {
		got, e := r.Check(content)
		if e != nil || &got[0] != &content[0] {
			t.Errorf("%s: %q, %v", name, got, e)
		}
	}
}

// The order of the checks decides which error a client sees, and what is let in.
func TestCheckOrder(t *testing.T) {
	t.Parallel()
	r := checked(t, Room{
		Schema:   schema(t, `{"type":"object","properties":{"text":{"minLength":1,"maxLength":12}}}`),
		Sanitize: SanitizeText, Bounds: Bounds{Size: 60, Depth: 1},
	})
	html := checked(t, Room{Sanitize: SanitizeHTML, Bounds: Bounds{Size: 10}})
	for name, test := range map[string]struct {
		room    *Room
		content string
		want    string // the content, or words of the error
		code    protocol.Code
	}{
		"good":                         {r, `{"text":"<b>x"}`, `{"text":"x"}`, ""},
		"size before schema":           {r, `"` + strings.Repeat("x", 60) + `"`, "60 bytes", protocol.TooLarge},
		"depth before schema":          {r, `[[]]`, "nested", protocol.TooLarge},
		"schema before sanitizing":     {r, `{"text":"<b>123456789</b>"}`, "schema: /text: maxLength", protocol.SchemaViolation},
		"schema before markup":         {r, `["<b>"]`, "got array", protocol.SchemaViolation},
		"empty only after sanitizing":  {r, `{"text":"<b></b>"}`, "after sanitizing: the content does not match the schema: /text: minLength", protocol.SchemaViolation},
		"too large after sanitizing":   {html, `"a&b&c&d"`, "after sanitizing: content is larger than 10 bytes", protocol.TooLarge},
		"just right after sanitizing":  {html, `"a&bc"`, `"a&amp;bc"`, ""},
		"not changed, not compared":    {html, `"abcdefgh"`, `"abcdefgh"`, ""},
		"text that is no JSON at all":  {r, `{"text":`, "not valid JSON", protocol.InvalidJSON},
		"sanitizing ends with no JSON": {checked(t, Room{Sanitize: SanitizeText}), `"<`, `""`, ""},
	} {
		got, e := test.room.Check([]byte(test.content))
		if code(e) != test.code {
			t.Errorf("%s: %v", name, e)
			continue
		}
		if e != nil && (!strings.Contains(e.Message, test.want) || got != nil) || e == nil && string(got) != test.want {
			t.Errorf("%s: %s, %v, want %q", name, got, e, test.want)
		}
	}
}

func TestCheckAtOnce(t *testing.T) {
	t.Parallel()
	r := checked(t, Room{Schema: schema(t, chat), Sanitize: SanitizeHTML})
	_, want := r.Check([]byte(`{"price":1000.001,"kind":1}`))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if got, e := r.Check([]byte(`{"text":"it's"}`)); e != nil || string(got) != `{"text":"it&#39;s"}` {
					t.Errorf("%s, %v", got, e)
				}
				if _, e := r.Check([]byte(`{"price":1000.001,"kind":1}`)); e.Message != want.Message {
					t.Errorf("%v and %v", e, want)
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkCheck(b *testing.B) {
	const clean = `{"text":"It is half past nine, and nobody has seen the second half of the report; shall we wait for it, or begin without the figures of last year?","kind":"question","sent":"2024-05-01T09:31:00Z","price":12.5}`
	marked := strings.Replace(clean, "second half", "<b>second</b>", 1)
	for _, test := range []struct {
		name    string
		room    Room
		content string
	}{
		{"nothing", Room{}, clean},
		{"bounds", Room{Bounds: Bounds{Size: 1 << 10, Depth: 4, Nodes: 100}}, clean},
		{"schema", Room{Schema: schema(b, chat)}, clean},
		{"schema-refused", Room{Schema: schema(b, `{"properties":{"text":{"maxLength":9},"kind":{"const":1}}}`)}, clean},
		{"text-clean", Room{Sanitize: SanitizeText}, clean},
		{"text-markup", Room{Sanitize: SanitizeText}, marked},
		{"html-clean", Room{Sanitize: SanitizeHTML}, clean},
		{"html-markup", Room{Sanitize: SanitizeHTML}, marked},
		{"schema-text-clean", Room{Schema: schema(b, chat), Sanitize: SanitizeText}, clean},
		{"schema-text-markup", Room{Schema: schema(b, chat), Sanitize: SanitizeText}, marked},
	} {
		r, content := checked(b, test.room), []byte(test.content)
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, e := r.Check(content); (e != nil) != (test.name == "schema-refused") {
					b.Fatal(e)
				}
			}
		})
	}
}

package policy

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// hasTag asks a tokenizer of HTML whether a text is anything but text.
func hasTag(s string) bool {
	z := html.NewTokenizer(strings.NewReader(s))
	read := 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			return read != len(s) // a tag without its end is dropped
		case html.TextToken:
			read += len(z.Raw())
		default:
			return true
		}
	}
}

var markup = []string{
	"a & b < c", "<b>x</b>", "<<b>script>", "&lt;b&gt;<i>", "<script/>&<b>", "<xmp>&<b>", "x <y", "<a href='&#106;avascript:'>a",
	"<!--", "a\r\n<b>\r", "</", "<title>&</title>", "\ufdd0<b>&", "<svg><style><img>", "<a href=\"?a%26b=1&c\">", "<plaintext>", "\x00<b\x00>",
}

func FuzzPlainText(f *testing.F) {
	for _, s := range markup {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "\ufffd") // as it comes out of JSON
		got := plainText(s)
		if hasTag(got) {
			t.Errorf("%q became %q, which has a tag", s, got)
		}
		if !hasTag(s) && got != s {
			t.Errorf("%q has no tag and became %q", s, got)
		}
		if again := plainText(got); again != got {
			t.Errorf("%q became %q and then %q", s, got, again)
		}
	})
}

func FuzzHarmless(f *testing.F) {
	for _, s := range markup {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "\ufffd")
		got := harmless(s)
		if again := harmless(got); again != got {
			t.Errorf("%q became %q and then %q", s, got, again)
		}
		z := html.NewTokenizer(strings.NewReader(got))
		for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
			token := z.Token()
			if kind == html.CommentToken || slices.Contains([]string{"script", "style", "iframe", "svg", "object", "form"}, token.Data) && kind != html.TextToken {
				t.Errorf("%q became %q with %v", s, got, token)
			}
			for _, a := range token.Attr {
				if strings.HasPrefix(a.Key, "on") || slices.Contains([]string{"id", "name", "class", "style", "target", "for", "form"}, a.Key) || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
					t.Errorf("%q became %q with %v", s, got, token)
				}
			}
		}
	})
}

// FuzzCheck holds what sanitizing makes of a content against the content: but for
// its strings it is the same.
func FuzzCheck(f *testing.F) {
	for _, s := range markup {
		quoted, err := json.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(`{"a":[` + string(quoted) + `,1.50,-0e9,true]}`))
	}
	f.Add([]byte(`{"<b>":1}`))
	f.Add([]byte(`{"a":1,"a":[null]}`))
	f.Add([]byte(`{"a`))
	f.Add([]byte(`"\`))
	strict := schema(f, chat)
	rooms := make(map[Sanitize]*Room)
	for _, m := range []Sanitize{SanitizeText, SanitizeHTML} {
		rooms[m] = checked(f, Room{Sanitize: m, Bounds: Bounds{Depth: 60}})
	}
	judge := checked(f, Room{Sanitize: SanitizeText, Schema: strict})
	f.Fuzz(func(t *testing.T, content []byte) {
		before := bytes.Clone(content)
		judge.Check(content) // anything may come of it, but no panic
		for m, r := range rooms {
			got, e := r.Check(content)
			if e != nil || !json.Valid(content) {
				continue
			}
			if !json.Valid(got) {
				t.Fatalf("%v: %q became %q", m, content, got)
			}
			if was, is := skeleton(content), skeleton(got); was != is {
				t.Errorf("%v: %q became %q", m, was, is)
			}
			again, e := r.Check(got)
			if e != nil || !bytes.Equal(again, got) {
				t.Errorf("%v: %q became %q and then %q, %v", m, content, got, again, e)
			}
			if m == SanitizeText && taggedString(decode(got)) {
				t.Errorf("%q became %q, which has a tag", content, got)
			}
		}
		if !bytes.Equal(before, content) {
			t.Error("the content was written to")
		}
	})
}

// skeleton is a JSON text without what is in its string values.
func skeleton(text []byte) string {
	var b strings.Builder
	all := tokens{text: text}
	for t, ok := all.next(); ok; t, ok = all.next() {
		if t.kind == '"' && !t.key {
			b.WriteString(`"" `)
		} else {
			b.Write(append(text[t.start:t.end:t.end], ' '))
		}
	}
	return b.String()
}

func decode(text []byte) (v any) {
	_ = json.Unmarshal(text, &v) // numbers out of range do not matter here
	return v
}

func taggedString(v any) bool {
	switch v := v.(type) {
	case string:
		return hasTag(v)
	case []any:
		return slices.ContainsFunc(v, taggedString)
	case map[string]any:
		for key, member := range v {
			if hasTag(key) || taggedString(member) {
				return true
			}
		}
	}
	return false
}

package protocol

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func TestDecodeTags(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                                       ``,
		` { "team" : "red", "n": 1.5e3 } `:         `{"team":"red","n":1.5e3}`,
		`{"a":true,"b":false,"c":-1}`:              `{"a":true,"b":false,"c":-1}`,
		`{"` + strings.Repeat("x", 64) + `":1}`:    `{"` + strings.Repeat("x", 64) + `":1}`,
		`{"a":"` + strings.Repeat("x", 255) + `"}`: `{"a":"` + strings.Repeat("x", 255) + `"}`,
	} {
		got, e := DecodeTags(json.RawMessage(text))
		if e != nil || string(got) != want {
			t.Errorf("%s: %s, %v", text, got, e)
		}
	}
	many := make([]string, 17)
	for i := range many {
		many[i] = fmt.Sprintf(`"t%d":%d`, i, i)
	}
	if _, e := DecodeTags(json.RawMessage("{" + strings.Join(many[:16], ",") + "}")); e != nil {
		t.Errorf("16 tags: %v", e)
	}
	for text, want := range map[string]string{
		`[]`:                 "must be a JSON object",
		`null`:               "must be a JSON object",
		`{"a":null}`:         `"a" must be a string, a number or a boolean`,
		`{"a":{}}`:           `"a" must be a string, a number or a boolean`,
		`{"a":[1]}`:          `"a" must be a string, a number or a boolean`,
		`{"":1}`:             "1 to 64 bytes",
		`{"a":1,"\u0061":2}`: "is given twice",
		`{"a":1e999}`:        "too large",
		`{"a":"` + strings.Repeat("x", 256) + `"}`: "at most 255 bytes",
		`{"` + strings.Repeat("x", 65) + `":1}`:    "1 to 64 bytes",
		"{" + strings.Join(many, ",") + "}":        "more than 16",
		`{"a":1`:                                   "ends too early",
	} {
		if _, e := DecodeTags(json.RawMessage(text)); e == nil || !strings.Contains(e.Message, want) {
			t.Errorf("%.40s: %v, want %q", text, e, want)
		}
	}
}

func TestTagsOfMessages(t *testing.T) {
	p, e := DecodePublish(json.RawMessage(`{"channel":"a","content":1,"tags":{"team": "red"}}`))
	if e != nil || string(p.Tags) != `{"team":"red"}` {
		t.Errorf("%s, %v", p.Tags, e)
	}
	if _, e = DecodePublish(json.RawMessage(`{"channel":"a","content":1,"tags":1}`)); e == nil {
		t.Error("a number is taken for tags")
	}
	text := string(AppendEnvelope(nil, &hub.Message{Channel: "a", Content: []byte(`1`), Tags: p.Tags}))
	if !strings.Contains(text, `,"tags":{"team":"red"},"content":1}`) {
		t.Error(text)
	}
}

func FuzzDecodeTags(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"a":"b","c":true}`, `{"\u0061":1,"a":2}`, `{"a":{}}`, `[]`, `{`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		tags, e := DecodeTags(text)
		if e != nil || tags == nil {
			return
		}
		var m map[string]any
		if err := json.Unmarshal(tags, &m); err != nil || len(m) == 0 || len(m) > MaxTags {
			t.Fatalf("%q: %v, %v", tags, m, err)
		}
		if strings.ContainsAny(string(tags), "\n\r") {
			t.Fatalf("%q has a line end, which backends use as a mark", tags)
		}
		again, e := DecodeTags(tags)
		if e != nil || string(again) != string(tags) {
			t.Fatalf("%q becomes %q, %v", tags, again, e)
		}
	})
}

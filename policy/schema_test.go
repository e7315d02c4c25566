package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	kinds "github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// chat is a schema as somebody would write it for a chat.
const chat = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"type": "object",
	"properties": {
		"text": {"type": "string", "minLength": 1, "maxLength": 200},
		"kind": {"enum": ["note", "question"]},
		"sent": {"type": "string", "format": "date-time"},
		"price": {"type": "number", "minimum": 0, "multipleOf": 0.01},
		"to": {"type": "array", "items": {"$ref": "#/$defs/person"}, "uniqueItems": true},
		"color": {"pattern": "^#[0-9a-f]{6}$"},
		"choice": {"oneOf": [{"type": "string"}, {"type": "object", "required": ["id"]}]}
	},
	"required": ["text"],
	"additionalProperties": false,
	"$defs": {"person": {"type": "object", "properties": {"a/b": {"type": "string"}, "id": {"type": "integer"}}}}
}`

func schema(t testing.TB, text string) *Schema {
	t.Helper()
	s, err := CompileSchema([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// checked is a compiled block for one channel.
func checked(t testing.TB, r Room) *Room {
	t.Helper()
	r.Pattern = "a"
	return compile(t, r).Match("a")
}

func TestSchemaAccepts(t *testing.T) {
	t.Parallel()
	r := checked(t, Room{Schema: schema(t, chat)})
	for _, content := range []string{
		`{"text":"hello"}`,
		`{"text":"<b>","kind":"note","sent":"2024-02-29T10:00:00Z","price":12345678901234567890.12}`,
		`{"to":[{"id":1},{"id":1.5e1},{"id":2}],"text":"x","color":"#00ff00"}`,
		`{"choice":{"id":null},"text":"\ud83d\ude00"}`,
	} {
		got, e := r.Check([]byte(content))
		if e != nil || string(got) != content {
			t.Errorf("%s: %q, %v", content, got, e)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	r := checked(t, Room{Schema: schema(t, chat)})
	for content, want := range map[string][]string{
		`1`:    {"schema: got number, want object"},
		`{}`:   {"schema: missing property 'text'"},
		`null`: {"got null"},
		`{"text":"","kind":"joke","price":-0.001}`: {
			"/kind: value must be one of 'note', 'question'; /price: minimum", "; /price: multipleOf", "; /text: minLength: got 0, want 1",
		},
		`{"text":"x","z":1,"y":2}`:                                   {"additional properties 'y', 'z' not allowed"},
		`{"text":"x","sent":"yesterday"}`:                            {"/sent: 'yesterday' is not valid date-time"},
		`{"text":"x","to":[{"id":1},{"id":1.5}]}`:                    {"/to/1/id: got number, want integer"},
		`{"text":"x","to":[{"a/b":1}]}`:                              {"/to/0/a~1b: got number, want string"},
		`{"text":"x","to":[{"id":1},{"id":1.0}]}`:                    {"/to: items at 0 and 1 are equal"},
		`{"text":"x","choice":1}`:                                    {"/choice: 'oneOf' failed", "/choice: got number, want string", "want object"},
		`{"text":"x","color":"\u202e\n#"}`:                           {`/color: '\u202e\n#' does not match pattern`},
		`{"text":"x","text":1}`:                                      {"two members of one name"},
		`{"text":"x","\u0074ext":"y"}`:                               {"two members of one name"},
		`{"text":"x","to":[{"id":1,"x":[{"y":1,"y":1}]}]}`:           {"two members of one name"},
		`{"text":"x","price":1` + strings.Repeat("0", 300) + `.001}`: {"/price: multipleOf"},
	} {
		_, e := r.Check([]byte(content))
		if code(e) != protocol.SchemaViolation {
			t.Errorf("%s: %v", content, e)
			continue
		}
		for _, words := range want {
			if !strings.Contains(e.Message, words) {
				t.Errorf("%s: %q lacks %q", content, e.Message, words)
			}
		}
	}
}

// An error that is the only one is told alone, and several in the order of their places.
func TestSchemaErrorText(t *testing.T) {
	t.Parallel()
	r := checked(t, Room{Schema: schema(t, `{"additionalProperties":{"type":"string","minLength":2},"maxProperties":2}`)})
	for content, want := range map[string]string{
		`{"a":1}`:                  "/a: got number, want string",
		`{"b":"x","a":1}`:          "/a: got number, want string; /b: minLength: got 1, want 2",
		`{"c":"xx","b":"x","a":1}`: "maxProperties: got 3, want 2; /a: got number, want string; /b: minLength: got 1, want 2",
	} {
		if _, e := r.Check([]byte(content)); e == nil || e.Message != "the content does not match the schema: "+want {
			t.Errorf("%s: %v", content, e)
		}
	}
}

// An error that usually holds others together is told itself if it has none.
func TestSchemaErrorWithoutCauses(t *testing.T) {
	t.Parallel()
	alone := &jsonschema.ValidationError{ErrorKind: &kinds.AllOf{}}
	if got := describe(alone); !strings.Contains(got, "allOf") {
		t.Errorf("alone: %q", got)
	}
	cause := &jsonschema.ValidationError{InstanceLocation: []string{"a"}, ErrorKind: &kinds.MinLength{Got: 1, Want: 2}}
	alone.Causes = append(alone.Causes, cause)
	if got := describe(alone); strings.Contains(got, "allOf") || !strings.Contains(got, "/a: minLength") {
		t.Errorf("with a cause: %q", got)
	}
}

// One answer tells of all errors, but neither a client's content nor its own
// schema can make it long, and it is the same each time.
func TestSchemaErrorsAreBounded(t *testing.T) {
	t.Parallel()
	r := checked(t, Room{Schema: schema(t, `{"additionalProperties": {"pattern": "^[0-9]{3}$"}}`)})
	var members []string
	for i := range 100 {
		members = append(members, fmt.Sprintf(`"%s%03d":"%s"`, strings.Repeat(`\u202e`, 200), i, strings.Repeat("x\u2028", 300)))
	}
	content := []byte("{" + strings.Join(members, ",") + "}")
	_, first := r.Check(content)
	if code(first) != protocol.SchemaViolation || !strings.HasSuffix(first.Message, "; and 90 more") {
		t.Fatalf("%v", first)
	}
	if n := strings.Count(first.Message, "; "); n != maxViolations || len(first.Message) > 2500 {
		t.Errorf("%d parts, %d bytes", n, len(first.Message))
	}
	if strings.ContainsAny(first.Message, "\u202e\u2028") {
		t.Error("what does not print is not escaped")
	}
	for range 5 {
		if _, e := r.Check(content); e.Message != first.Message {
			t.Fatalf("%q and %q", e.Message, first.Message)
		}
	}
}

func TestCompileSchemaRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                                     "not valid JSON",
		`{`:                                    "not valid JSON",
		`{} {}`:                                "not valid JSON",
		`3`:                                    "metaschema",
		`{"type":"strin"}`:                     "/type",
		`{"pattern":"(?=a)"}`:                  "/pattern",
		`{"$ref":"other.json"}`:                "a reference must lead to a place within the schema itself",
		`{"$ref":"file:///etc/hostname"}`:      "a reference must lead to a place within the schema itself",
		`{"$ref":"https://example.com/a"}`:     "a reference must lead to a place within the schema itself",
		`{"$dynamicRef":"http://[::1]/a"}`:     "a reference must lead to a place within the schema itself",
		`{"$schema":"https://example.com/m"}`:  "a reference must lead to a place within the schema itself",
		`{"$ref":"#/$defs/missing"}`:           "not found",
		`{"$id":"https://e.com/a","$ref":"b"}`: "a reference must lead to a place within the schema itself",
	} {
		if _, err := CompileSchema([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", text, err, want)
		}
	}
}

func TestCompileSchemaAccepts(t *testing.T) {
	t.Parallel()
	for text, tests := range map[string][2]string{ // good and bad content
		`{"$id":"https://e.com/a","$defs":{"x":{"$id":"b","type":"string"}},"$ref":"b"}`:  {`"x"`, `1`},
		`{"$ref":"https://json-schema.org/draft/2020-12/schema"}`:                         {`true`, `1`},
		`{"$schema":"http://json-schema.org/draft-07/schema#","items":[{"type":"null"}]}`: {`[null]`, `[1]`},
		`{"prefixItems":[{"type":"null"}],"items":false}`:                                 {`[null]`, `[null,1]`},
		`{"format":"email"}`: {`"a@example.com"`, `"a"`},
		`{"properties":{"next":{"$ref":"#"}},"type":"object"}`: {`{"next":{"next":{}}}`, `{"next":{"next":1}}`},
		`false`: {``, `1`},
	} {
		r := checked(t, Room{Schema: schema(t, text)})
		if _, e := r.Check([]byte(tests[0])); e != nil && tests[0] != "" {
			t.Errorf("%s does not take %s: %v", text, tests[0], e)
		}
		if _, e := r.Check([]byte(tests[1])); code(e) != protocol.SchemaViolation {
			t.Errorf("%s takes %s: %v", text, tests[1], e)
		}
	}
}

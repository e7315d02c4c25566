package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// richText is a schema as somebody would write it for an editor: each node is tried
// as two kinds, so that the tries double with each level.
const richText = `{"$ref":"#/$defs/n","$defs":{"n":{"oneOf":[
	{"type":"object","properties":{"t":{"const":"p"},"c":{"type":"array","items":{"$ref":"#/$defs/n"}}},"required":["t","c"]},
	{"type":"object","properties":{"t":{"const":"q"},"c":{"type":"array","items":{"$ref":"#/$defs/n"}}},"required":["t","c"]},
	{"type":"string"}]}}}`

// nested puts a core into the given number of layers.
func nested(before, core, after string, levels int) string {
	return strings.Repeat(before, levels) + core + strings.Repeat(after, levels)
}

// costly are schemas that are expensive to compare some contents with: most of them
// grow by a factor with each level. The answer is SCHEMA_VIOLATION where one branch is
// enough to know it, and else TOO_LARGE.
var costly = map[string]struct{ schema, content string }{
	"rich text":                 {richText, nested(`{"t":"x","c":[`, `1`, `]}`, 26)},
	"rich text, children first": {richText, nested(`{"c":[`, `1`, `],"t":"x"}`, 26)},
	"anyOf": {
		`{"anyOf":[{"items":{"$ref":"#"},"minItems":2},{"items":{"$ref":"#"},"maxItems":0},{"items":{"$ref":"#"},"minItems":3}]}`,
		nested(`[`, `1,1`, `]`, 60),
	},
	"draft 7": {
		`{"$schema":"http://json-schema.org/draft-07/schema#","type":"array","allOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}`,
		nested(`[`, `1`, `]`, 60),
	},
	"draft 4": {
		`{"$schema":"http://json-schema.org/draft-04/schema#","type":"array","oneOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}`,
		nested(`[`, `1`, `]`, 60),
	},
	"$recursiveRef": {
		`{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"type":"array","anyOf":[{"items":{"$recursiveRef":"#"}},{"items":{"$recursiveRef":"#"}}]}`,
		nested(`[`, `1`, `]`, 60),
	},
	"$dynamicRef": {
		`{"$dynamicAnchor":"n","type":"array","anyOf":[{"items":{"$dynamicRef":"#n"}},{"items":{"$dynamicRef":"#n"}}]}`,
		nested(`[`, `1`, `]`, 60),
	},
	"hidden dynamic anchor": { // no keyword but the anchor leads to what costs most
		`{"$ref":"list","$defs":{"t":{"$dynamicAnchor":"t","type":"array","anyOf":[{"items":{"$dynamicRef":"list#t"}},{"items":{"$dynamicRef":"list#t"}}]},
			"list":{"$id":"list","items":{"$dynamicRef":"#t"},"$defs":{"t":{"$dynamicAnchor":"t"}}}}}`,
		nested(`[`, `1`, `]`, 60),
	},
	"if": {
		`{"type":"object","if":{"properties":{"a":{"$ref":"#"}}},"then":{"properties":{"a":{"$ref":"#"}}},"else":{"properties":{"a":{"$ref":"#"}}}}`,
		nested(`{"a":`, `1`, `}`, 60),
	},
	"not": {
		`{"not":{"anyOf":[{"items":{"$ref":"#"},"minItems":1},{"items":{"$ref":"#"},"minItems":1},{"items":{"$ref":"#"},"minItems":1}]}}`,
		nested(`[`, `1`, `]`, 61),
	},
	"contains": {
		`{"type":"array","anyOf":[{"contains":{"$ref":"#"}},{"contains":{"$ref":"#"}}]}`,
		nested(`[1,`, `1`, `]`, 60),
	},
	"unevaluated": {
		`{"type":"array","anyOf":[{"unevaluatedItems":{"$ref":"#"}},{"unevaluatedItems":{"$ref":"#"}}]}`,
		nested(`[`, `1`, `]`, 60),
	},
	"dependentSchemas": {
		`{"type":"object","dependentSchemas":{"a":{"additionalProperties":{"$ref":"#"}},"b":{"additionalProperties":{"$ref":"#"}}}}`,
		nested(`{"b":1,"a":`, `1`, `}`, 60),
	},
	"wide": { // without recursion: 600 schemas for each of 9,000 values
		`{"items":{"anyOf":[` + strings.TrimSuffix(strings.Repeat(`{"type":"string"},`, 600), ",") + `]}}`,
		`[` + strings.TrimSuffix(strings.Repeat(`1,`, 9000), ",") + `]`,
	},
	"enum": {
		`{"items":{"enum":[` + strings.TrimSuffix(strings.Repeat(`1.5,`, 600), ",") + `]}}`,
		`[` + strings.TrimSuffix(strings.Repeat(`1.25,`, 9000), ",") + `]`,
	},
	"format regex": {`{"items":{"format":"regex"}}`, `["` + strings.Repeat(`x{1000}`, 8000) + `"]`},
	"pattern": {
		`{"items":{"pattern":"(x{0,900}y?){1}z"}}`,
		`["` + strings.Repeat(`x`, 60_000) + `"]`,
	},
	"patternProperties": {
		`{"patternProperties":{"(x{0,900}y?){1}z":{}}}`,
		`{"` + strings.Repeat(`x`, 60_000) + `":1}`,
	},
	"uniqueItems": {
		`{"type":"array","uniqueItems":true,"allOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}`,
		nested(`[[],`, `[]`, `]`, 60),
	},
}

// What is wrong in more ways than there is memory for is refused without a list.
func TestSchemaDescriptionHasABudget(t *testing.T) {
	t.Parallel()
	r := checked(t, Room{Schema: schema(t, richText)})
	_, e := r.Check([]byte(nested(`{"t":"x","c":[`, `1`, `]}`, 2)))
	if code(e) != protocol.SchemaViolation || !strings.Contains(e.Message, "/c/0: got object, want string") {
		t.Errorf("two levels: %v", e)
	}
	for levels := range 26 {
		_, e = r.Check([]byte(nested(`{"t":"x","c":[`, `1`, `]}`, levels)))
		if e == nil || len(e.Message) > 2500 {
			t.Errorf("%d levels: %v", levels, e)
		}
		if code(e) == protocol.SchemaViolation && strings.Contains(e.Message, "too many ways") {
			t.Logf("%d levels are too many to describe", levels)
			return
		}
	}
	t.Error("no depth is invalid in too many ways")
}

// The budget has room for what an editor sends.
func TestSchemaTakesDeepTrees(t *testing.T) {
	t.Parallel()
	r := checked(t, Room{Schema: schema(t, strings.ReplaceAll(richText, `"t":{"const":"q"}`, `"t":{"enum":["q","r"]}`))})
	deep := nested(`{"t":"p","c":["a",`, `"b"`, `]}`, 12)
	if _, e := r.Check([]byte(deep)); e != nil {
		t.Errorf("a tree of depth 12: %v", e)
	}
	paragraph := `{"t":"p","c":["a",{"t":"q","c":["b",{"t":"p","c":["c"]}]}]}`
	many := `{"t":"p","c":[` + strings.TrimSuffix(strings.Repeat(paragraph+",", 700), ",") + `]}`
	if _, e := r.Check([]byte(many)); e != nil {
		t.Errorf("700 paragraphs: %v", e)
	}
}

// A schema with one kind per node tells them apart at once, and takes any depth.
func TestSchemaTakesTheDeepestTree(t *testing.T) {
	t.Parallel()
	r := checked(t, Room{Schema: schema(t, `{"type":["object","null"],"properties":{"left":{"$ref":"#"},"right":{"$ref":"#"}},"additionalProperties":false}`)})
	content := nested(`{"right":{},"left":`, `null`, `}`, 63)
	if _, e := r.Check([]byte(content)); e != nil {
		t.Error(e)
	}
}

func TestCompileSchemaRefusesLoops(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"not":{"$ref":"#"}}`: "'#/not/$ref' applies '#'",
		`{"$ref":"#"}`:         "'#/$ref' applies '#'",
		`{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[true,{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}`: "to the same value again",
		`{"type":"object","anyOf":[{"type":"string"},{"$ref":"#"}]}`:                                        "'#/anyOf/1/$ref' applies '#'",
		`{"oneOf":[{"$ref":"#"}]}`:                               "'#/oneOf/0/$ref' applies '#'",
		`{"if":{"$ref":"#"}}`:                                    "'#/if/$ref' applies '#'",
		`{"if":{"type":"null"},"else":{"$ref":"#"}}`:             "'#/else/$ref' applies '#'",
		`{"dependentSchemas":{"a/b":{"$ref":"#"}}}`:              "'#/dependentSchemas/a~1b/$ref' applies '#'",
		`{"properties":{"a":{"not":{"$ref":"#/properties/a"}}}}`: "'#/properties/a/not/$ref' applies '#/properties/a'",
		`{"$dynamicAnchor":"n","not":{"$dynamicRef":"#n"}}`:      "'#/not/$dynamicRef' applies '#'",
		`{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"not":{"$recursiveRef":"#"}}`:                                   "'#/not/$recursiveRef' applies '#'",
		`{"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"a":{"$ref":"#"}}}`:                                                          "'#/dependencies/a/$ref' applies '#'",
		`{"$anchor":"a","not":{"$dynamicRef":"#a"}}`:                                                                                                       "'#/not/$dynamicRef' applies '#'",
		`{"$ref":"list","$defs":{"t":{"$dynamicAnchor":"t","$ref":"list"},"list":{"$id":"list","$dynamicRef":"#t","$defs":{"t":{"$dynamicAnchor":"t"}}}}}`: "to the same value again",
		`{"$schema":"http://json-schema.org/draft-04/schema#","not":{"$ref":"#"}}`:                                                                         "'#/not/$ref' applies '#'",
	} {
		if _, err := CompileSchema([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", text, err, want)
		}
	}
	for _, text := range []string{
		`{"items":{"$ref":"#"}}`, `{"properties":{"a":{"not":{"$ref":"#"}}}}`, `{"propertyNames":{"$ref":"#"},"type":"string"}`,
		`{"$dynamicRef":"#/$defs/a","$defs":{"a":{}}}`, `{"$dynamicRef":"#a","$defs":{"a":{"$anchor":"a"},"b":{"$dynamicAnchor":"b","$ref":"#/$defs/a"}}}`,
		`{"contains":{"$ref":"#"}}`, `{"unevaluatedItems":{"$ref":"#"}}`, `{"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}],"$defs":{"a":{}}}`,
		`{"$ref":"https://json-schema.org/draft/2020-12/schema"}`, `{"$ref":"https://json-schema.org/draft/2019-09/schema"}`, `{"$ref":"http://json-schema.org/draft-07/schema#"}`,
	} {
		if _, err := CompileSchema([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The count belongs to a copy of the schema, so that no two comparisons share one.
func TestSchemaOfManyGoroutines(t *testing.T) {
	t.Parallel()
	r := checked(t, Room{Schema: schema(t, richText)})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				_, e := r.Check([]byte(nested(`{"t":"p","c":[`, `"x"`, `]}`, 5)))
				if e != nil {
					t.Error(e)
				}
				if i == 0 {
					if _, e = r.Check([]byte(costly["rich text"].content)); code(e) != protocol.SchemaViolation {
						t.Error(e)
					}
				}
			}
		})
	}
	all.Wait()
	if copies := r.Schema.copies; len(copies.free) > int(copies.max) || len(copies.free) != int(copies.made.Load()) {
		t.Errorf("%d copies are free, %d made, at most %d", len(copies.free), copies.made.Load(), copies.max)
	}
}

// FuzzSchema holds the metered comparison against the library's own, and against its
// bound in time.
func FuzzSchema(f *testing.F) {
	for _, test := range costly {
		if len(test.content) < 2000 {
			f.Add(test.schema, test.content)
		}
	}
	f.Add(chat, `{"text":"x","to":[{"id":1},{"id":1.0}]}`)
	f.Add(`{"unevaluatedProperties":false,"anyOf":[{"properties":{"a":true}},{"properties":{"b":true}}]}`, `{"a":1,"b":2}`)
	f.Add(`{"$id":"https://e.com/a","$defs":{"x":{"$id":"b","type":"string"}},"$ref":"b"}`, `1`)
	f.Fuzz(func(t *testing.T, text, content string) {
		if len(text) > 2000 || len(content) > 4000 || !json.Valid([]byte(content)) {
			return
		}
		s, err := CompileSchema([]byte(text))
		if err != nil {
			return
		}
		r := checked(t, Room{Schema: s})
		start := processorTime()
		_, e := r.Check([]byte(content))
		if took := processorTime() - start; took > 5*time.Second {
			t.Errorf("%s with %s took %v", text, content, took)
		}
		if code(e) == protocol.TooLarge || e != nil && !strings.Contains(e.Message, "the schema: ") {
			return
		}
		if !affordable(t, s, content) {
			return
		}
		if want := plainly(t, text, content); (e == nil) != (want == nil) {
			t.Errorf("%s with %s: %v, and the library says %v", text, content, e, want)
		}
	})
}

// affordable reports whether the library alone would end in good time.
func affordable(t *testing.T, s *Schema, content string) bool {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.copies.take()
	if err != nil {
		t.Fatal(err)
	}
	defer s.copies.put(m)
	return m.run(maxSteps, func() { _ = m.root.Validate(v) })
}

// plainly asks the library alone.
func plainly(t *testing.T, text, content string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := newCompiler(doc)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(schemaURL)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	var found *jsonschema.ValidationError
	if err = compiled.Validate(v); err != nil && !errors.As(err, &found) {
		t.Fatal(fmt.Errorf("the library: %w", err))
	}
	return err
}

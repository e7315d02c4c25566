package policy

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What a schema costs grows with the keywords that look at a value, and with what they look at. A price that is
// too low would let a content keep a processor busy.
func TestPrice(t *testing.T) {
	t.Parallel()
	list := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("0,", n), ",") + "]" }
	text := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	const three, object = `[1,2,3]`, `{"a":1,"b":2,"c":3}`
	for _, c := range []struct {
		name, schema, value string
		want                int64
	}{
		{"nothing", `{}`, `null`, 1},
		{"a short number", `{}`, `123456789012345`, 1},
		{"a number", `{}`, `1234567890123456`, 2},
		{"a longer number", `{}`, `12345678901234567890123456789012`, 3},
		{"required", `{"required":["a","b"]}`, `1`, 3},
		{"dependentRequired", `{"dependentRequired":{"a":["b","c"],"d":["e"]}}`, `1`, 1 + 2 + 3},
		{"dependencies", `{"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"a":{},"b":["c"]}}`, `1`, 1 + 2 + 1},
		{"schemas for the same value", `{"allOf":[true,{}],"not":{"type":"null"}}`, `1`, 1 + 3},
		{"a constant", `{"allOf":[{"const":[1,2]}]}`, `1`, 1 + 1 + 3},
		{"a list of constants", `{"allOf":[{"enum":[1,[2]]}]}`, `1`, 1 + 1 + 4},
		{"a nested constant", `{"allOf":[{"const":{"a":[1,{"b":2}],"c":3}}]}`, `1`, 1 + 1 + 6},

		{"members", `{}`, object, 1 + 3},
		{"properties", `{"properties":{"a":{"const":1},"b":{"enum":[1,2]}}}`, object, 1 + 3*4},
		{"patternProperties", `{"patternProperties":{"x":{},"y":{"const":1}}}`, object, 1 + 3*(2+3)},
		{"other members", `{"additionalProperties":{"const":1},"propertyNames":{"enum":["a"]},"unevaluatedProperties":{}}`, object, 1 + 3*(2+3+1)},
		{"properties and others", `{"properties":{"a":{"const":1}},"patternProperties":{"x":{}},"additionalProperties":{}}`, object, 1 + 3*(2+2+1)},

		{"elements", `{}`, three, 1 + 3},
		{"prefixItems", `{"prefixItems":[{},{"const":1}]}`, three, 1 + 3*2},
		{"items", `{"items":{"const":1}}`, three, 1 + 3*2},
		{"items and others", `{"prefixItems":[{"const":1}],"items":{"enum":[1]},"contains":{"const":1},"unevaluatedItems":{}}`, three, 1 + 3*(2+3+2+1)},
		{"items of draft 7", `{"$schema":"http://json-schema.org/draft-07/schema#","items":{"const":1}}`, three, 1 + 3*2},
		{"places of draft 7", `{"$schema":"http://json-schema.org/draft-07/schema#","items":[{},{"const":1}],"additionalItems":{"enum":[1]}}`, three, 1 + 3*(2+3)},

		{"a few unique elements", `{"uniqueItems":true}`, list(3), 1 + 3 + 4*2},
		{"unique elements", `{"uniqueItems":true}`, list(12), 1 + 12 + 13*6},
		{"many unique elements", `{"uniqueItems":true}`, list(30), 1 + 30 + 31*10},
		{"unique elements with content", `{"uniqueItems":true}`, `[[1,2],{"a":[3]}]`, 1 + 2 + 7*2},

		{"a text", `{}`, text(10_000), 1},
		{"minLength", `{"minLength":1}`, text(512), 1 + 2},
		{"maxLength", `{"maxLength":1}`, text(511), 1 + 1},
		{"both lengths", `{"minLength":1,"maxLength":1}`, text(512), 1 + 2},
		{"a format", `{"format":"date-time"}`, text(512), 1 + 2*formatCost},
		{"an expression as format", `{"format":"regex"}`, text(3), 1 + 3*regexCost},
		{"a format and a length", `{"format":"date-time","minLength":1}`, text(512), 1 + 2*(formatCost+lengthCost)},
	} {
		if got := priceAt(t, c.schema, c.value); got != c.want {
			t.Errorf("%s: %d steps, want %d", c.name, got, c.want)
		}
	}
}

// An expression costs as many steps for 256 bytes as its program has instructions.
func TestPriceOfExpressions(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 512)
	for _, c := range []struct {
		expression string
		least      int64
	}{{"x", 2}, {"x{100}", 100}, {"(x{100}y?){5}", 500}} {
		asText := priceAt(t, `{"pattern":"`+c.expression+`"}`, `"`+text+`"`) - 1
		asName := priceAt(t, `{"patternProperties":{"`+c.expression+`":{}}}`, `{"`+text+`":1}`) - 1 - 2
		if asText != asName || asText < 2*c.least || asText > 6*c.least+10 {
			t.Errorf("%s costs %d steps for a text, and %d for a name", c.expression, asText, asName)
		}
	}
	one := priceAt(t, `{"patternProperties":{"x":{}}}`, `{"`+text+`":1}`)
	if two := priceAt(t, `{"patternProperties":{"x":{},"y":{}}}`, `{"`+text+`":1}`); two-1 != 2*(one-1) {
		t.Errorf("an expression costs %d, two cost %d", one, two)
	}
}

// priceAt returns what a schema costs for a value, without what its subschemas charge for themselves.
func priceAt(t *testing.T, schema, value string) int64 {
	t.Helper()
	read := func(text string) any {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return v
	}
	c, err := newCompiler(read(schema))
	if err != nil {
		t.Fatalf("%s: %v", schema, err)
	}
	s, err := c.Compile(schemaURL)
	if err != nil {
		t.Fatalf("%s: %v", schema, err)
	}
	p := priceOf(s, nil)
	return p.of(read(value))
}

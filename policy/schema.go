package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Schema is a compiled JSON Schema. It is immutable and may be used by several
// goroutines at once.
type Schema struct{ compiled *jsonschema.Schema }

// schemaURL is the base of references. Errors show it to the author of the schema,
// who must not take it for a place that anything is loaded from.
const schemaURL = "room:///schema"

// CompileSchema compiles the text of a JSON Schema: draft 2020-12, unless its
// $schema names one of the older drafts. A format is asserted, not just noted. A
// reference may lead to a place in the same text or to the specification's own
// schemas; any other one is an error, because what a message has to look like must
// not depend on whether a file or server can be read.
func CompileSchema(text []byte) (*Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("schema is not valid JSON: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(noLoader{})
	if err = c.AddResource(schemaURL, doc); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	compiled, err := c.Compile(schemaURL)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return &Schema{compiled: compiled}, nil
}

// noLoader refuses what is not part of a schema. Without a loader of its own the
// compiler's words would be about the compiler.
type noLoader struct{}

func (noLoader) Load(string) (any, error) {
	return nil, errors.New("only references within the schema are followed")
}

// check compares a content with the schema. Its shape was checked before: numbers
// of any size must not come here. keys is the number of members in its text.
func (s *Schema) check(content json.RawMessage, keys int) *protocol.Error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		return protocol.Errorf(protocol.InvalidJSON, "content is not valid JSON")
	}
	// Of two members with one name the decoder keeps the last, and a subscriber
	// may look at the first, which nobody checked.
	if members(v) != keys {
		return protocol.Errorf(protocol.SchemaViolation, "content has an object with two members of one name")
	}
	var found *jsonschema.ValidationError
	if err = s.compiled.Validate(v); errors.As(err, &found) {
		return protocol.Errorf(protocol.SchemaViolation, "the content does not match the schema: %s", describe(found))
	}
	return protocol.AsError(err)
}

// members counts the members of all objects in v.
func members(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		n = len(v)
		for _, member := range v {
			n += members(member)
		}
	case []any:
		for _, element := range v {
			n += members(element)
		}
	}
	return n
}

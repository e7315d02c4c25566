package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Schema is a compiled JSON Schema. Several goroutines may use it at once.
type Schema struct{ copies *copies }

// schemaURL is the base of references. The author of the schema sees it in errors, so it
// must not look like a place that something is loaded from.
const schemaURL = "room:///schema"

// CompileSchema compiles a JSON Schema of draft 2020-12, or of the older draft that its
// $schema names. Formats are checked, not just noted. A reference may lead to a place in
// the same text or to the specification's own schemas. Any other reference is an error,
// because the rules for messages must not depend on whether a file or server can be read. A
// schema that can apply itself to the same value again is an error, because checking would
// not end.
func CompileSchema(text []byte) (*Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("schema is not valid JSON: %w", err)
	}
	c, err := newCompiler(doc)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	// The metered copy is compiled with a vocabulary, with which the compiler looks at
	// less of the schema's own form. This first one looks at all of it.
	if _, err = c.Compile(schemaURL); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	first, err := compileMetered(doc)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return &Schema{copies: newCopies(doc, first)}, nil
}

// newCompiler returns a compiler that knows doc at schemaURL.
func newCompiler(doc any) (*jsonschema.Compiler, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(noLoader{})
	return c, c.AddResource(schemaURL, doc)
}

// noLoader rejects every reference that leads out of the schema. The compiler's own error
// for that would be about the compiler.
type noLoader struct{}

func (noLoader) Load(string) (any, error) {
	return nil, errors.New("a reference must lead to a place within the schema itself")
}

// check compares a content with the schema. The shape must have been checked: very long
// numbers must not come here. The errors are SCHEMA_VIOLATION, and TOO_LARGE if the
// comparison takes more steps than one content may cost.
func (s *Schema) check(content json.RawMessage, shape shape) *protocol.Error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		return protocol.Errorf(protocol.InvalidJSON, "content is not valid JSON")
	}
	// Of two members with one name the decoder keeps the last, and a subscriber
	// may look at the first, which nobody checked.
	if members(v) != shape.keys {
		return protocol.Errorf(protocol.SchemaViolation, "the content has an object with two members of one name")
	}
	if e, done := s.compare(v, shape.deepest, briefSteps); done {
		return e
	}
	return inLane(func() *protocol.Error {
		e, _ := s.compare(v, shape.deepest, maxSteps)
		return e
	})
}

// compare compares a value with the schema. It returns false if that takes more steps than
// given. The error is then for a caller that has no more steps.
func (s *Schema) compare(v any, depth, steps int) (e *protocol.Error, done bool) {
	m, err := s.copies.take()
	if err != nil {
		return protocol.AsError(err), true
	}
	defer s.copies.put(m)
	switch valid, within := m.valid(v, steps); {
	case !within:
		return protocol.Errorf(protocol.TooLarge, "comparing the content with the schema takes too many steps; send a smaller content"), false
	case valid:
		return nil, true
	}
	if found := m.violations(v, depth, steps); found != nil {
		return protocol.Errorf(protocol.SchemaViolation, "the content does not match the schema: %s", describe(found)), true
	}
	return protocol.Errorf(protocol.SchemaViolation, "the content does not match the schema, in too many ways to list them"), false
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

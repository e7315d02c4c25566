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

// schemaURL is the base of references. Errors show it to the author of the schema,
// who must not take it for a place that anything is loaded from.
const schemaURL = "room:///schema"

// CompileSchema compiles the text of a JSON Schema: draft 2020-12, unless its
// $schema names one of the older drafts. A format is asserted, not just noted. A
// reference may lead to a place in the same text or to the specification's own
// schemas; any other one is an error, because what a message has to look like must
// not depend on whether a file or server can be read. A schema that can apply itself
// to the same value again is an error as well, because checking would not end.
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

// noLoader refuses what is not part of a schema. Without a loader of its own the
// compiler's words would be about the compiler.
type noLoader struct{}

func (noLoader) Load(string) (any, error) {
	return nil, errors.New("only references within the schema are followed")
}

// check compares a content with the schema. Its shape was checked before: numbers
// of any size must not come here. The errors are TOO_LARGE, when the comparison takes
// more steps than one content is worth, and SCHEMA_VIOLATION.
func (s *Schema) check(content json.RawMessage, shape shape) *protocol.Error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		return protocol.Errorf(protocol.InvalidJSON, "content is not valid JSON")
	}
	// Of two members with one name the decoder keeps the last, and a subscriber
	// may look at the first, which nobody checked.
	if members(v) != shape.keys {
		return protocol.Errorf(protocol.SchemaViolation, "content has an object with two members of one name")
	}
	if e, done := s.compare(v, shape.deepest, briefSteps); done {
		return e
	}
	return inLane(func() *protocol.Error {
		e, _ := s.compare(v, shape.deepest, maxSteps)
		return e
	})
}

// compare holds a value against the schema. False: that takes more steps, and the error
// is what to say if there are no more.
func (s *Schema) compare(v any, depth, steps int) (e *protocol.Error, done bool) {
	m, err := s.copies.take()
	if err != nil {
		return protocol.AsError(err), true
	}
	defer s.copies.put(m)
	switch valid, within := m.valid(v, steps); {
	case !within:
		return protocol.Errorf(protocol.TooLarge, "the content takes too many steps to compare with the schema"), false
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

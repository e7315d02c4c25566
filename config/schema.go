package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// Schema is a JSON Schema: draft 2020-12, unless its $schema names an older one. References
// lead only to places in the schema itself, and none may apply a schema to the same value
// again. Exactly one of the fields is set.
type Schema struct {
	// File is the path of a file with the schema, relative to the directory in which Caddy
	// runs. It is read when the configuration is loaded, and not again before the next
	// reload. May contain placeholders such as {env.SCHEMAS}.
	File string `json:"file,omitempty"`

	// Inline is the schema itself.
	Inline json.RawMessage `json:"inline,omitempty"`
}

// compile returns no schema if there is none, or if read is nil and it is in a file.
func (c *Schema) compile(read ReadFile) (*policy.Schema, error) {
	switch {
	case c == nil:
		return nil, nil
	case (c.File == "") == (len(c.Inline) == 0):
		return nil, errors.New("schema: exactly one of a file and an inline schema is needed")
	case c.File == "":
		return compileSchema(c.Inline)
	case read == nil:
		return nil, nil
	}
	name, err := block.Resolve(c.File)
	if err != nil {
		return nil, block.Locate(c.File, fmt.Errorf("schema: %w", err))
	}
	text, err := read(name)
	if err != nil {
		return nil, block.Locate(c.File, fmt.Errorf("schema: %w", err))
	}
	schema, err := compileSchema(text)
	if err != nil {
		return nil, block.Locate(c.File, fmt.Errorf("%s: %w", name, err))
	}
	return schema, nil
}

// compileSchema checks the JSON first, because it knows the line of an error.
func compileSchema(text []byte) (*policy.Schema, error) {
	var any json.RawMessage
	err := json.Unmarshal(text, &any)
	if at := (*json.SyntaxError)(nil); errors.As(err, &at) {
		line := 1 + bytes.Count(text[:at.Offset], []byte("\n"))
		return nil, fmt.Errorf("schema is not valid JSON: line %d: %w", line, err)
	}
	return policy.CompileSchema(text)
}

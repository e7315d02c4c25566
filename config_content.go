package realtime

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// SchemaConfig is a JSON Schema: draft 2020-12, unless its $schema names an older
// one. References lead to places in the schema itself only, and none may apply a
// schema to the same value again. Exactly one of its fields is given.
type SchemaConfig struct {
	// File is the path of a file with the schema, relative to the directory in which
	// Caddy runs. It is read when the configuration is loaded, and not again before
	// the next reload. May contain placeholders such as {env.SCHEMAS}.
	File string `json:"file,omitempty"`

	// Inline is the schema itself.
	Inline json.RawMessage `json:"inline,omitempty"`
}

// ContentConfig bounds what clients publish in a room, below what every frame is
// held to. Contents beyond it are refused with TOO_LARGE.
type ContentConfig struct {
	// Size is the greatest length in bytes, as compact JSON. Default: 0, which means
	// what message_size allows.
	Size int64 `json:"size,omitempty"`

	// Depth is how deeply arrays and objects may be nested; 1 is an object of plain
	// values. Default: 0, which means what every frame is held to, 64.
	Depth int `json:"depth,omitempty"`

	// Nodes is the greatest number of values, where each array, each object and each
	// of their elements counts as one. Default: 0, which means 10000 in a room with a
	// schema or sanitizing, and elsewhere no bound but the size.
	Nodes int `json:"nodes,omitempty"`
}

// readFile reads the files that a configuration names. Where it is nil they are not
// looked at: a Caddyfile is often adapted on another machine than it is meant for.
type readFile func(name string) ([]byte, error)

// compile gives no schema where there is none, or where its file is not read.
func (c *SchemaConfig) compile(read readFile) (*policy.Schema, error) {
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

// compileSchema looks for what is no JSON first, because it knows the line.
func compileSchema(text []byte) (*policy.Schema, error) {
	var any json.RawMessage
	err := json.Unmarshal(text, &any)
	if at := (*json.SyntaxError)(nil); errors.As(err, &at) {
		line := 1 + bytes.Count(text[:at.Offset], []byte("\n"))
		return nil, fmt.Errorf("schema is not valid JSON: line %d: %w", line, err)
	}
	return policy.CompileSchema(text)
}

// compile leaves the comparison with the limits to the hub, which knows them.
func (c ContentConfig) compile() (policy.Bounds, error) {
	switch {
	case min(c.Size, int64(c.Depth), int64(c.Nodes)) < 0:
		return policy.Bounds{}, errors.New("negative number")
	case c.Depth > protocol.MaxDepth:
		return policy.Bounds{}, fmt.Errorf("a depth of %d is more than the %d that every frame is held to", c.Depth, protocol.MaxDepth)
	}
	return policy.Bounds{Size: int(c.Size), Depth: c.Depth, Nodes: c.Nodes}, nil
}

// fits finds a bound that could never be reached.
func (c ContentConfig) fits(messageSize int64) error {
	if c.Size > messageSize {
		return fmt.Errorf("content: a size of %d is more than message_size, which is %d bytes", c.Size, messageSize)
	}
	return nil
}

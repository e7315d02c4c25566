package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Bounds limit the content that a room accepts, below the limits of every frame. 0 means
// that the room has no such limit of its own.
type Bounds struct {
	// Size is the greatest length of the compact JSON text in bytes. It is checked again
	// after sanitizing, which can make a text longer.
	Size int
	// Depth is the greatest nesting of arrays and objects: 1 for an object of plain values.
	Depth int
	// Nodes is the greatest number of values. Each array, object and element counts as one.
	// 0 means [DefaultNodes] in a room with a schema or sanitizing, where each value costs
	// many times its size.
	Nodes int
}

const (
	// DefaultNodes is far more than a message for people has. The slowest content of this
	// size, in which nothing matches the schema, takes some tens of milliseconds.
	DefaultNodes = 10_000
	// maxNumber limits the digits and the exponent of a number that a schema is applied to.
	// The library calculates exactly, and 1e999999 would have a million digits. All numbers
	// of 64 bits, also floating ones, are far below.
	maxNumber = 400
)

func (b *Bounds) validate() error {
	if min(b.Size, b.Depth, b.Nodes) < 0 {
		return errors.New("size, depth and nodes of the content must not be negative")
	}
	return nil
}

func (b *Bounds) checkSize(content json.RawMessage) *protocol.Error {
	if b.Size > 0 && len(content) > b.Size {
		return protocol.Errorf(protocol.TooLarge, "content is larger than %d bytes", b.Size)
	}
	return nil
}

// shape is what is known about a content before it is decoded.
type shape struct {
	depth   int // at the token that was read last
	deepest int
	nodes   int
	keys    int
}

// checkShape looks at every value and decodes none. If numbers is true, a schema will
// calculate with the numbers, so they must not be too long.
func (b *Bounds) checkShape(content json.RawMessage, numbers bool) (shape, *protocol.Error) {
	var s shape
	text := tokens{text: content}
	for t, ok := text.next(); ok; t, ok = text.next() {
		s.add(t)
		switch {
		case b.Depth > 0 && s.depth > b.Depth:
			return s, protocol.Errorf(protocol.TooLarge, "content is nested more than %d levels deep", b.Depth)
		case b.Nodes > 0 && s.nodes > b.Nodes:
			return s, protocol.Errorf(protocol.TooLarge, "content has more than %d values", b.Nodes)
		case numbers && t.kind == '0' && isHuge(content[t.start:t.end]):
			return s, protocol.Errorf(protocol.TooLarge, "content has a number of more than %d digits", maxNumber)
		}
	}
	return s, nil
}

func (s *shape) add(t token) {
	switch {
	case t.kind == '}', t.kind == ']':
		s.depth--
		return
	case t.key:
		s.keys++
		return
	case t.kind == '{', t.kind == '[':
		s.depth++
		s.deepest = max(s.deepest, s.depth)
	}
	s.nodes++
}

// isHuge reports whether a number has too many digits, or would have too many if it were
// written without an exponent.
func isHuge(number []byte) bool {
	if len(number) > maxNumber {
		return true
	}
	e := bytes.IndexAny(number, "eE")
	if e < 0 {
		return false
	}
	n, err := strconv.Atoi(string(number[e+1:]))
	return err != nil || n > maxNumber || n < -maxNumber
}

package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Bounds are the greatest content that a room takes, below what every frame is held
// to. 0 means no bound of the room's own.
type Bounds struct {
	// Size is the length of the compact JSON text in bytes. It is compared again
	// after sanitizing, which can make a text longer.
	Size int
	// Depth is how deeply arrays and objects may be nested: 1 for an object of
	// plain values.
	Depth int
	// Nodes is the number of values, each array, object and element counted as
	// one. 0 means 10,000 in a room with a schema or sanitizing, where each value
	// costs many times its size.
	Nodes int
}

const (
	// defaultNodes is far more than a message for people has, and keeps the worst
	// of them, where nothing matches a schema, to some tens of milliseconds.
	defaultNodes = 10_000
	// maxNumber bounds the digits and the exponent of a number that a schema is
	// applied to: it is calculated with exactly, so that 1e999999 would have a
	// million digits. All numbers of 64 bits are far below, floating or not.
	maxNumber = 400
)

func (b *Bounds) validate() error {
	if min(b.Size, b.Depth, b.Nodes) < 0 {
		return errors.New("a bound of the content is negative")
	}
	return nil
}

func (b *Bounds) checkSize(content json.RawMessage) *protocol.Error {
	if b.Size > 0 && len(content) > b.Size {
		return protocol.Errorf(protocol.TooLarge, "content is larger than %d bytes", b.Size)
	}
	return nil
}

// shape is what there is to know of a content before it is decoded.
type shape struct {
	depth   int // at the token that was read last
	deepest int
	nodes   int
	keys    int
}

// checkShape looks at every value without decoding any. numbers says that they have
// to be small enough to be calculated with.
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

// isHuge reports whether a number is written with too many digits, or would be
// without its exponent.
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

package document

import (
	"bytes"
	"encoding/json"
)

// Patch is a proposed change of a document: a merge patch (RFC 7396) or a JSON patch
// (RFC 6902) with the additional operation "increment". It never changes.
type Patch struct {
	merge *object     // nil for a JSON patch
	ops   []operation // nil for a merge patch
	text  []byte
}

// operation is one operation of a JSON patch.
type operation struct {
	op         string
	path, from pointer
	value      any
}

// Text returns the patch as compact JSON.
func (p *Patch) Text() []byte { return p.text }

// ParsePatch parses a patch: an object is a merge patch, an array a JSON patch.
// Errors are [Invalid] and [TooLarge].
func ParsePatch(text []byte, l Limits) (*Patch, *Error) {
	l = l.withDefaults()
	// A patch is nested more deeply than the values in it.
	in := parser{depth: l.Depth + 2, nodes: l.Nodes + 4*l.Operations + 1, trusted: l.trusted}
	v, e := in.parse(text)
	if e != nil {
		return nil, e
	}
	p := new(Patch)
	switch v := v.(type) {
	case *object:
		p.merge = v
		if leaves(v) > l.Operations {
			e = failf(TooLarge, "the merge patch changes more than %d values", l.Operations)
		}
	case *array:
		e = p.parseOps(v.items, l)
	default:
		e = failf(Invalid, "a patch is an object (a merge patch) or an array (a JSON patch)")
	}
	if e != nil {
		return nil, e
	}
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return nil, failf(Invalid, "not valid JSON")
	}
	p.text = b.Bytes()
	return p, nil
}

// Replacement returns a patch that replaces the whole document. It needs [Limits.Root].
func Replacement(t Tree) *Patch {
	text := t.Append([]byte(`[{"op":"replace","path":"","value":`))
	return &Patch{ops: []operation{{op: "replace", value: t.root}}, text: append(text, "}]"...)}
}

// leaves counts the values that a merge patch sets or deletes.
func leaves(o *object) (n int) {
	for _, v := range o.members {
		if inner, ok := v.(*object); ok {
			n += max(1, leaves(inner))
		} else {
			n++
		}
	}
	return n
}

func (p *Patch) parseOps(items []any, l Limits) *Error {
	if len(items) > l.Operations {
		return failf(TooLarge, "the patch has more than %d operations", l.Operations)
	}
	p.ops = make([]operation, len(items))
	for i, item := range items {
		o, ok := item.(*object)
		if !ok {
			return failf(Invalid, "operation %d is not an object", i)
		}
		var e *Error
		if p.ops[i], e = parseOp(o, l); e != nil {
			e.Text = "operation " + string(appendInt(nil, i)) + ": " + e.Text
			return e
		}
	}
	return nil
}

func parseOp(o *object, l Limits) (op operation, e *Error) {
	var hasValue, hasFrom bool
	op.op, _ = o.members["op"].(string)
	op.value, hasValue = o.members["value"]
	path, ok := o.members["path"].(string)
	if !ok {
		return op, failf(Invalid, "\"path\" is missing or not a string")
	}
	if op.path, e = parsePointer(path, l); e != nil {
		return op, e
	}
	switch op.op {
	case "add", "replace", "test":
		if !hasValue {
			return op, failf(Invalid, "\"value\" is missing")
		}
	case "increment":
		if _, ok := op.value.(json.Number); !ok {
			return op, failf(Invalid, "\"value\" is missing or no number")
		}
	case "remove":
	case "move", "copy":
		var from string
		if !l.Move {
			return op, failf(Invalid, "move and copy are not allowed; use add, remove, replace, increment and test")
		}
		if from, hasFrom = o.members["from"].(string); !hasFrom {
			return op, failf(Invalid, "\"from\" is missing or not a string")
		}
		op.from, e = parsePointer(from, l)
	default:
		return op, failf(Invalid, "\"op\" is none of add, remove, replace, increment and test")
	}
	if len(op.path) == 0 && !l.Root && op.op != "test" && e == nil {
		e = failf(Invalid, "the whole document can not be replaced by a patch")
	}
	return op, e
}

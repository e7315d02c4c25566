package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// Parse parses a JSON text. It rejects duplicate members, names with a meaning of their own
// in JavaScript, text that is not UTF-8 or has half of a surrogate pair, numbers that are
// infinite in JavaScript, and values beyond the limits.
func Parse(text []byte, l Limits) (Tree, *Error) {
	l = l.withDefaults()
	p := parser{depth: l.Depth, nodes: l.Nodes, trusted: l.trusted}
	root, e := p.parse(text)
	if e != nil {
		return Tree{}, e
	}
	t := newTree(root)
	if t.Size() > l.Size {
		return Tree{}, failf(TooLarge, "the document would have more than %d bytes", l.Size)
	}
	return t, nil
}

// parser builds values from the tokens that encoding/json reads.
type parser struct {
	in           *json.Decoder
	depth, nodes int // how many are left
	trusted      bool
}

func (p *parser) parse(text []byte) (any, *Error) {
	if !utf8.Valid(text) {
		return nil, failf(Invalid, "not valid UTF-8")
	}
	p.in = json.NewDecoder(bytes.NewReader(text))
	p.in.UseNumber()
	v, err := p.value()
	if err == nil {
		_, err = p.in.Token()
		switch {
		case err != io.EOF:
			err = errors.New("something follows the JSON text")
		case !p.trusted && hasHalfPair(text):
			return nil, failf(Invalid, "a string has half of a surrogate pair")
		default:
			return v, nil
		}
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return nil, e
	}
	return nil, failf(Invalid, "not valid JSON")
}

func (p *parser) value() (any, error) {
	t, err := p.in.Token()
	if err != nil {
		return nil, err
	}
	return p.valueAfter(t)
}

// valueAfter builds the value that starts with a token, which is already read.
func (p *parser) valueAfter(t json.Token) (v any, err error) {
	if p.nodes--; p.nodes < 0 {
		return nil, failf(TooLarge, "too many values")
	}
	if n, ok := t.(json.Number); ok && !p.trusted && !isFinite(string(n)) {
		return nil, failf(Invalid, "the number %s is larger than those of JavaScript", quote(string(n)))
	}
	d, nested := t.(json.Delim)
	if !nested {
		return t, nil
	}
	if p.depth--; p.depth < 0 {
		return nil, failf(TooLarge, "nested too deeply")
	}
	if d == '{' {
		v, err = p.object()
	} else {
		v, err = p.array()
	}
	p.depth++
	return v, err
}

func (p *parser) object() (any, error) {
	o := &object{members: make(map[string]any)}
	for p.in.More() {
		t, err := p.in.Token()
		if err != nil {
			return nil, err
		}
		name := t.(string) // otherwise the decoder returns an error
		if _, again := o.members[name]; again {
			return nil, failf(Invalid, "the member %s is given twice", quote(name))
		}
		if isForbiddenName(name) {
			return nil, failf(Invalid, "members may not be named %s", quote(name))
		}
		if o.members[name], err = p.value(); err != nil {
			return nil, err
		}
	}
	_, err := p.in.Token()
	return o, err
}

func (p *parser) array() (any, error) {
	a := new(array)
	for p.in.More() {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		a.items = append(a.items, v)
	}
	_, err := p.in.Token()
	return a, err
}

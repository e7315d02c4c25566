package policy

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A segment kind says what one segment of a pattern matches. A further word in
// braces is a further kind.
type kind uint8

const (
	literal kind = iota // its own text
	single              // any one segment
	caller              // any one segment; belongs to the user it names
	rest                // everything that follows, at least one character; always last
)

type segment struct {
	kind kind
	text string // of a literal
}

// pattern is a parsed pattern. Its leading literals are kept as one string, with
// the colon after them, because most blocks are told apart by it: a comparison of
// a few bytes settles the blocks that do not match.
type pattern struct {
	prefix   string
	tail     []segment // what follows prefix
	segments []segment // all
	personal bool      // has a caller segment
}

func parsePattern(text string) (pattern, error) {
	if text == "" {
		return pattern{}, errors.New("empty pattern")
	}
	var p pattern
	parts := strings.Split(text, ":")
	for i, part := range parts {
		s, err := parseSegment(part, i == len(parts)-1)
		if err != nil {
			return pattern{}, err
		}
		p.segments = append(p.segments, s)
		p.personal = p.personal || s.kind == caller
	}
	if err := p.validate(); err != nil {
		return pattern{}, err
	}
	p.split()
	return p, nil
}

func parseSegment(part string, last bool) (segment, error) {
	switch {
	case part == "":
		return segment{}, errors.New("empty segment: two colons in a row, or one at an end")
	case part == "*" && last:
		return segment{kind: rest}, nil
	case part == "*":
		return segment{kind: single}, nil
	case part == "{user}":
		return segment{kind: caller}, nil
	case strings.ContainsAny(part, "{}"):
		return segment{}, fmt.Errorf("segment %q: {user} is the only placeholder, and a segment of its own", part)
	case strings.Contains(part, "*"):
		return segment{}, fmt.Errorf("segment %q: * is a segment of its own", part)
	}
	return segment{kind: literal, text: part}, nil
}

// validate refuses a pattern that no valid channel can match, by trying the
// shortest name it stands for.
func (p *pattern) validate() error {
	var shortest []string
	for _, s := range p.segments {
		if s.kind != literal {
			s.text = "x"
		}
		shortest = append(shortest, s.text)
	}
	if e := protocol.ValidChannel(strings.Join(shortest, ":")); e != nil {
		return errors.New("no channel can have such a name: " + e.Message)
	}
	return nil
}

func (p *pattern) split() {
	n := 0
	for n < len(p.segments) && p.segments[n].kind == literal {
		p.prefix += p.segments[n].text
		if n++; n < len(p.segments) {
			p.prefix += ":"
		}
	}
	p.tail = p.segments[n:]
}

func (p *pattern) match(channel string) bool {
	left, ok := strings.CutPrefix(channel, p.prefix)
	if !ok {
		return false
	}
	for i, s := range p.tail {
		if s.kind == rest {
			return left != ""
		}
		var part string
		var more bool
		part, left, more = strings.Cut(left, ":")
		if part == "" || s.kind == literal && part != s.text || more != (i < len(p.tail)-1) {
			return false
		}
	}
	return left == ""
}

// covers reports whether every channel that q matches is matched by p as well.
func (p *pattern) covers(q *pattern) bool {
	for i, s := range p.segments {
		if i >= len(q.segments) {
			return false
		}
		t := q.segments[i]
		switch {
		case s.kind == rest:
			return true
		case t.kind == rest:
			return false
		case s.kind == literal && (t.kind != literal || t.text != s.text):
			return false
		}
	}
	return len(p.segments) == len(q.segments)
}

// ownedBy reports whether every caller segment of channel, which p matches, names
// user.
func (p *pattern) ownedBy(user, channel string) bool {
	if !p.personal {
		return true
	}
	left := channel
	for _, s := range p.segments {
		var part string
		part, left, _ = strings.Cut(left, ":")
		if s.kind == caller && owner(part) != user {
			return false
		}
	}
	return true
}

// owner is the user that a segment names: the one whose id the segment is once
// percent-decoded, as URL paths are. So a user whose id holds a colon or anything
// else that a channel's name can not has a segment too, and no segment has two
// owners, which comparing with both forms would not ensure.
func owner(segment string) string {
	if !strings.Contains(segment, "%") {
		return segment
	}
	if user, err := url.PathUnescape(segment); err == nil {
		return user
	}
	return segment
}

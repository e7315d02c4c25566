package policy

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// kind says what one segment of a pattern matches.
type kind uint8

const (
	literal kind = iota // its own text
	single              // any one segment
	caller              // any one segment; belongs to the user it names
	claim               // any one segment; belongs to those who have it as a claim
	starts              // everything that starts with its text and has more; always last
	rest                // everything that follows, at least one character; always last
)

type segment struct {
	kind kind
	text string // of a literal and of starts; the name of a claim
}

// owned reports whether the segment is a placeholder.
func (s segment) owned() bool { return s.kind == caller || s.kind == claim }

// pattern is a parsed pattern. prefix has the leading literals as one string, with the
// colon after them, because most blocks differ there: comparing a few bytes rules out the
// blocks that do not match.
type pattern struct {
	prefix   string
	tail     []segment // what follows prefix
	segments []segment // all
	personal bool      // has a placeholder
	named    bool      // has {user}
}

func parsePattern(text string) (pattern, error) {
	if text == "" {
		return pattern{}, errors.New("the pattern is empty")
	}
	var p pattern
	parts := strings.Split(text, ":")
	for i, part := range parts {
		s, err := parseSegment(part, i == len(parts)-1)
		if err != nil {
			return pattern{}, err
		}
		p.segments = append(p.segments, s)
		p.personal = p.personal || s.owned()
		p.named = p.named || s.kind == caller
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
		return segment{}, errors.New("a segment is empty: the pattern has two colons in a row, or a colon at its start or end")
	case part == "*" && last:
		return segment{kind: rest}, nil
	case part == "*":
		return segment{kind: single}, nil
	case part == "{user}":
		return segment{kind: caller}, nil
	case strings.ContainsAny(part, "{}"):
		return parseClaim(part)
	case last && strings.Index(part, "*") == len(part)-1:
		return segment{kind: starts, text: part[:len(part)-1]}, nil
	case strings.Contains(part, "*"):
		return segment{}, fmt.Errorf("segment %q: * must be a whole segment, or the end of the last one", part)
	}
	return segment{kind: literal, text: part}, nil
}

func parseClaim(part string) (segment, error) {
	name, opened := strings.CutPrefix(part, "{claim.")
	name, closed := strings.CutSuffix(name, "}")
	if !opened || !closed || protocol.ValidChannel(name) != nil {
		return segment{}, fmt.Errorf("segment %q: the placeholders are {user} and {claim.NAME}, and each must be a whole segment", part)
	}
	return segment{kind: claim, text: name}, nil
}

// validate rejects a pattern that no valid channel can match. It tries the shortest name
// that the pattern matches.
func (p *pattern) validate() error {
	var shortest []string
	for _, s := range p.segments {
		switch s.kind {
		case literal:
		case starts:
			s.text += "x"
		default:
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
	if len(p.tail) == 1 && p.tail[0].kind == starts {
		p.prefix += p.tail[0].text
		p.tail = []segment{{kind: rest}}
	}
}

func (p *pattern) match(channel string) bool {
	left, ok := strings.CutPrefix(channel, p.prefix)
	if !ok {
		return false
	}
	for i, s := range p.tail {
		switch s.kind {
		case rest:
			return left != ""
		case starts:
			return len(left) > len(s.text) && strings.HasPrefix(left, s.text)
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

// covers reports whether p matches every channel that q matches.
func (p *pattern) covers(q *pattern) bool {
	for i, s := range p.segments {
		if i >= len(q.segments) {
			return false
		}
		t := q.segments[i]
		switch {
		case s.kind == rest:
			return true
		case s.kind == starts:
			return s.starts(t, i < len(q.segments)-1)
		case t.kind == rest, t.kind == starts:
			return false
		case s.kind == literal && (t.kind != literal || t.text != s.text):
			return false
		}
	}
	return len(p.segments) == len(q.segments)
}

// starts reports whether a segment that is a beginning matches all that another one and what
// follows it match. more says that something follows.
func (s segment) starts(t segment, more bool) bool {
	if t.kind == literal && !more && t.text == s.text {
		return false // nothing is left for the *
	}
	return (t.kind == literal || t.kind == starts) && strings.HasPrefix(t.text, s.text)
}

// ownedBy reports whether s has the value of every placeholder in channel, which p matches.
func (p *pattern) ownedBy(s *Subject, channel string) bool {
	if !p.personal {
		return true
	}
	left := channel
	for _, seg := range p.segments {
		var part string
		part, left, _ = strings.Cut(left, ":")
		if !seg.owned() {
			continue
		}
		if v := s.value(seg); v == "" || v != decoded(part) {
			return false
		}
	}
	return true
}

// decoded returns the value that a segment stands for, percent-decoded once, as URL paths
// are. So a user whose id has a colon, or anything else that a channel name can not have,
// has a segment too. The encoded form itself is not compared: one segment could have two
// owners then.
func decoded(segment string) string {
	if !strings.Contains(segment, "%") {
		return segment
	}
	if value, err := url.PathUnescape(segment); err == nil {
		return value
	}
	return segment
}

package protocol

import (
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

const (
	// maxOffset is the greatest offset. Every JSON reader can represent it exactly.
	maxOffset = 1<<53 - 1
	maxEpoch  = 16
)

// ParsePosition reads a position from texts, for example of a query. An empty anchor means that
// the anchor is unknown.
func ParsePosition(epoch, offset, anchor string) (hub.Position, *Error) {
	n, ok := parseInteger(offset, maxOffset)
	if !ok {
		return hub.Position{}, Errorf(InvalidMessage, "offset %s is not an integer from 0 to %d", Quote(offset), maxOffset)
	}
	return newPosition(epoch, n, anchor)
}

func newPosition(epoch string, offset uint64, anchor string) (hub.Position, *Error) {
	p := hub.Position{Epoch: epoch, Offset: offset}
	if !validEpoch(epoch) {
		return p, Errorf(InvalidMessage, "epoch %s is not 1 to %d letters and digits", Quote(epoch), maxEpoch)
	}
	if anchor == "" {
		return p, nil
	}
	var ok bool
	if p.Anchor, ok = ParseAnchor(anchor); !ok {
		return p, Errorf(InvalidMessage, "anchor %s is not %d lower-case hexadecimal digits", Quote(anchor), anchorLen)
	}
	return p, nil
}

// position reads the current value as a position.
func (m *members) position() *hub.Position {
	var epoch, anchor string
	var offset uint64
	o := walk(m.take(), m.where+"."+string(m.name))
	for o.next() {
		switch string(o.name) {
		case "epoch":
			epoch = o.text()
		case "offset":
			offset = o.integer(maxOffset)
		case "anchor":
			anchor = o.text()
		}
	}
	o.require("epoch", "offset")
	p, err := newPosition(epoch, offset, anchor)
	o.keep(err)
	m.keep(o.err)
	return &p
}

// appendPositionFields appends a position; nothing for the zero position of rooms without
// history.
func appendPositionFields(dst []byte, p hub.Position) []byte {
	if p.IsZero() {
		return dst
	}
	dst = appendStringField(dst, "epoch", p.Epoch)
	dst = appendKey(dst, "offset")
	dst = strconv.AppendUint(dst, p.Offset, 10)
	return appendAnchorField(dst, p.Anchor)
}

func validEpoch(s string) bool {
	if s == "" || len(s) > maxEpoch {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// parseInteger reads an integer as JSON writes it: digits without leading zeros,
// up to top.
func parseInteger(s string, top uint64) (uint64, bool) {
	if s == "" || s[0] == '+' || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n <= top
}

// anchorLen is the length of an anchor in text.
const anchorLen = 8

// AppendAnchor appends an anchor as 8 lower-case hexadecimal digits.
func AppendAnchor(dst []byte, anchor uint32) []byte {
	const digits = "0123456789abcdef"
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, digits[anchor>>shift&15])
	}
	return dst
}

// ParseAnchor reads the text of [AppendAnchor]. The anchor 0 means unknown and has no text.
func ParseAnchor(s string) (anchor uint32, ok bool) {
	if len(s) != anchorLen {
		return 0, false
	}
	for i := range len(s) {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(s, 16, 32)
	return uint32(n), err == nil && n != 0
}

// appendAnchorField appends the field `anchor`; nothing if the anchor is unknown.
func appendAnchorField(dst []byte, anchor uint32) []byte {
	if anchor == 0 {
		return dst
	}
	dst = append(dst, `,"anchor":"`...)
	return append(AppendAnchor(dst, anchor), '"')
}

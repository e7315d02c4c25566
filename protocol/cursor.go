package protocol

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

const (
	// MaxCursor and MaxCursorEntries bound a cursor, in bytes and in channels.
	MaxCursor        = 8 << 10
	MaxCursorEntries = 256

	tagLen = 6
)

// Cursor holds the positions of the channels of one event stream. Its text is the `id:` of an
// event. A client sends it back as Last-Event-ID to recover all of its channels. The zero Cursor
// is empty. It is not safe for use by several goroutines.
//
// A channel is identified by a hash of 36 bits. If two channels of a stream have the same hash,
// one gets the position of the other. That position is of another epoch, so the client learns
// that the channel can not be recovered.
type Cursor struct {
	entries []cursorEntry
}

type cursorEntry struct {
	// channel is the name, to avoid the hash; empty if the entry was parsed.
	channel  string
	tag      [tagLen]byte
	position hub.Position
}

// ParseCursor reads the text of a cursor. The empty text is the empty cursor.
func ParseCursor(s string) (Cursor, *Error) {
	var c Cursor
	switch {
	case s == "":
		return c, nil
	case len(s) > MaxCursor:
		return c, Errorf(InvalidMessage, "a cursor must not be longer than %d bytes", MaxCursor)
	case strings.Count(s, ".") >= MaxCursorEntries:
		return c, Errorf(InvalidMessage, "a cursor must not have more than %d entries", MaxCursorEntries)
	}
	// The epochs share the memory of the text. A copy keeps them from holding a whole request
	// header in memory.
	s = strings.Clone(s)
	c.entries = make([]cursorEntry, 0, 1+strings.Count(s, "."))
	for text := range strings.SplitSeq(s, ".") {
		e, ok := parseEntry(text)
		if !ok {
			return Cursor{}, Errorf(InvalidMessage, "cursor entry %s is not valid", Quote(text))
		}
		if c.tagged(e.tag) >= 0 {
			return Cursor{}, Errorf(InvalidMessage, "cursor entry %s repeats a channel", Quote(text))
		}
		c.entries = append(c.entries, e)
	}
	return c, nil
}

// parseEntry reads tag~epoch~offset or tag~epoch~offset~anchor.
func parseEntry(s string) (e cursorEntry, ok bool) {
	tag, rest, _ := strings.Cut(s, "~")
	epoch, rest, _ := strings.Cut(rest, "~")
	offset, anchor, anchored := strings.Cut(rest, "~")
	if copy(e.tag[:], tag); len(tag) != tagLen || !isTag(tag) || anchored && anchor == "" {
		return e, false
	}
	p, err := ParsePosition(epoch, offset, anchor)
	e.position = p
	return e, err == nil
}

// isTag reports whether s is written in the alphabet of base64url.
func isTag(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '-' && c != '_' && !isAlphanumeric(c) {
			return false
		}
	}
	return true
}

// tagOf is the first 36 bits of the SHA-256 of a channel's name, in base64url.
func tagOf(channel string) (tag [tagLen]byte) {
	sum := sha256.Sum256([]byte(channel))
	var text [8]byte
	base64.RawURLEncoding.Encode(text[:], sum[:6])
	copy(tag[:], text[:])
	return tag
}

// Len is the number of channels.
func (c *Cursor) Len() int { return len(c.entries) }

// Position returns the position of a channel; ok is false if the cursor has none.
func (c *Cursor) Position(channel string) (p hub.Position, ok bool) {
	if i := c.find(channel); i >= 0 {
		return c.entries[i].position, true
	}
	return p, false
}

// Set changes or adds the position of a channel. The zero position, that of a room
// without history, removes the channel.
func (c *Cursor) Set(channel string, p hub.Position) {
	if p.IsZero() {
		c.Delete(channel)
		return
	}
	if i := c.find(channel); i >= 0 {
		c.entries[i].channel, c.entries[i].position = channel, p
		return
	}
	c.entries = append(c.entries, cursorEntry{channel, tagOf(channel), p})
}

// Delete removes a channel.
func (c *Cursor) Delete(channel string) {
	if i := c.find(channel); i >= 0 {
		c.entries = slices.Delete(c.entries, i, i+1)
	}
}

// find returns the index of a channel's entry, or -1.
func (c *Cursor) find(channel string) int {
	for i := range c.entries {
		if c.entries[i].channel == channel && channel != "" {
			return i
		}
	}
	return c.tagged(tagOf(channel))
}

func (c *Cursor) tagged(tag [tagLen]byte) int {
	return slices.IndexFunc(c.entries, func(e cursorEntry) bool { return e.tag == tag })
}

// AppendCursor appends the text of a cursor. If it would be longer than [ParseCursor] accepts,
// the entries that were added last are omitted. Their channels can not be recovered, and the
// server must say so when the client resumes the stream.
func AppendCursor(dst []byte, c *Cursor) []byte {
	begin := len(dst)
	for i := range c.entries {
		if i == MaxCursorEntries {
			break
		}
		whole := len(dst)
		if i > 0 {
			dst = append(dst, '.')
		}
		if dst = appendEntry(dst, c.entries[i].tag, c.entries[i].position); len(dst)-begin > MaxCursor {
			return dst[:whole]
		}
	}
	return dst
}

func appendEntry(dst []byte, tag [tagLen]byte, p hub.Position) []byte {
	dst = append(dst, tag[:]...)
	dst = append(dst, '~')
	dst = append(dst, p.Epoch...)
	dst = append(dst, '~')
	dst = strconv.AppendUint(dst, p.Offset, 10)
	if p.Anchor != 0 {
		dst = append(dst, '~')
		dst = AppendAnchor(dst, p.Anchor)
	}
	return dst
}

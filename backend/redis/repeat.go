package redis

import (
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Redis remembers of an idempotency key the position of its message or, where that has
// none, its digest. Older versions leave an empty text instead of a digest. A position has
// no digest beside it, because older versions could not read that: there the message
// itself is compared, if it is still in the log.

// repeated answers a publish whose key was seen before. The entry is that of the first
// message, or nil.
func repeated(m *hub.Message, first string, entry any) (hub.Published, error) {
	if !strings.Contains(first, ":") { // the room had no history then
		return duplicate(m, parseDigest(first))
	}
	at, err := parsePosition(first)
	if err != nil {
		return hub.Published{}, unexpected(first)
	}
	var digest uint32
	if stored, err := parseEntry(m.Channel, entry); err == nil && stored.Position.Anchor == at.Anchor {
		digest = stored.Digest()
	}
	p, err := duplicate(m, digest)
	if err == nil {
		p.Position = at
	}
	return p, err
}

// duplicate answers a publish whose key was seen before with a message of this digest; 0:
// not known.
func duplicate(m *hub.Message, digest uint32) (hub.Published, error) {
	if err := m.Repeat(digest); err != nil {
		return hub.Published{}, err
	}
	return hub.Published{Duplicate: true}, nil
}

func formatDigest(digest uint32) string { return strconv.FormatUint(uint64(digest), 16) }

// parseDigest is the reverse; 0 for anything else.
func parseDigest(s string) uint32 {
	digest, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		return 0
	}
	return uint32(digest)
}

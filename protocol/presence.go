package protocol

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// InterestPresence is the interest (see [hub.Selective]) of connections that may see the
// members.
const InterestPresence uint8 = 1

// Appearance is what a client says about itself in a room.
type Appearance struct {
	// Status is a short word; empty for none.
	Status string
	// Info is any JSON value; its user checks the size and that it is an object. Nil for none.
	Info json.RawMessage
}

// IsZero reports whether the client said nothing about itself.
func (a Appearance) IsZero() bool { return a.Status == "" && a.Info == nil }

// Change returns the change of the client's member.
func (a Appearance) Change() presence.Change {
	return presence.Change{Status: a.Status, Info: a.Info}
}

// take reads the current member of the JSON object if it belongs to an appearance.
func (a *Appearance) take(m *members) {
	switch string(m.name) {
	case "status":
		a.Status = m.text()
		if a.Status == "" {
			m.fail("must not be empty")
		}
	case "info":
		a.Info = m.content()
	}
}

// Presence is the payload of `presence` as a command.
type Presence struct {
	Channel string
	// Appearance updates the client's own member; the zero one requests the members.
	Appearance
	// After requests the page of members after this id.
	After string
}

// DecodePresence reads the payload of `presence`.
func DecodePresence(payload json.RawMessage) (Presence, *Error) {
	var p Presence
	m := walk(payload, "payload")
	for m.next() {
		switch string(m.name) {
		case "channel":
			p.Channel = m.text()
		case "after":
			p.After = m.text()
		default:
			p.take(&m)
		}
	}
	m.require("channel")
	m.check(ValidChannel, p.Channel)
	if m.err == nil && p.After != "" && !p.IsZero() {
		m.err = Errorf(InvalidMessage, "payload: \"after\" asks for members, \"status\" and \"info\" update one; do one at a time")
	}
	if m.err != nil {
		return Presence{}, m.err
	}
	return p, nil
}

// StreamPresence is the body with which the client of an event stream updates its own member over HTTP.
type StreamPresence struct {
	// Secret is that of the stream, see [Connected].
	Secret  string
	Channel string
	Appearance
}

// DecodeStreamPresence reads the body. The path names the channel, so the body may omit it.
func DecodeStreamPresence(channel string, body json.RawMessage) (StreamPresence, *Error) {
	p := StreamPresence{Channel: channel}
	m := walk(body, "payload")
	for m.next() {
		switch string(m.name) {
		case "channel":
			if named := m.text(); m.err == nil && named != channel {
				m.err = Errorf(InvalidMessage, "the payload is about the channel %s, the path is not", Quote(named))
			}
		case "secret":
			p.Secret = m.text()
		default:
			p.take(&m)
		}
	}
	m.require("secret")
	if m.err == nil && p.IsZero() {
		m.err = Errorf(InvalidMessage, "payload: \"status\" or \"info\" is required")
	}
	if m.err != nil {
		return StreamPresence{}, m.err
	}
	return p, nil
}

// PresenceEvent is the envelope `presence`: the members of a room, or what changed.
type PresenceEvent struct {
	// ID is the command's; nil for none.
	ID json.RawMessage
	// Frame is a snapshot or a diff.
	Frame presence.Frame
}

// EventName is `presence`.
func (PresenceEvent) EventName() string { return TypePresence }

// Concerns implements [hub.Selective]: the connections that may see the members get the event.
func (PresenceEvent) Concerns(interests uint8) bool { return interests&InterestPresence != 0 }

// Number implements [hub.Numbered].
func (p PresenceEvent) Number() uint64 {
	switch f := p.Frame.(type) {
	case *presence.Snapshot:
		return f.Seq
	case *presence.Diff:
		return f.Seq
	}
	return 0
}

// For implements [hub.Personal].
func (p PresenceEvent) For(connection string) hub.Event {
	if d, ok := p.Frame.(*presence.Diff); ok {
		if own := d.For(connection); own != nil {
			return PresenceEvent{Frame: own}
		}
	}
	return nil
}

// Size implements [hub.Sized]. The members of a snapshot are those of the room and shared.
func (p PresenceEvent) Size() (n int) {
	d, ok := p.Frame.(*presence.Diff)
	if !ok {
		return 0
	}
	for _, list := range [][]*presence.Member{d.Entered, d.Updated, d.Left} {
		for _, m := range list {
			n += memberSize + len(m.Key) + len(m.Info)
		}
	}
	return n
}

// memberSize is about the memory of a member beside its texts.
const memberSize = 128

// AppendEnvelope appends the envelope.
func (p PresenceEvent) AppendEnvelope(dst []byte) []byte {
	dst = append(beginEnvelope(dst, TypePresence, p.ID), '{')
	switch f := p.Frame.(type) {
	case *presence.Snapshot:
		dst = appendSnapshot(dst, f)
	case *presence.Diff:
		dst = appendDiff(dst, f)
	}
	return append(dst, '}', '}')
}

func appendSnapshot(dst []byte, s *presence.Snapshot) []byte {
	dst = appendStringField(dst, "channel", s.Channel)
	if s.After != "" {
		dst = appendStringField(dst, "after", s.After)
	}
	dst = appendMemberIDs(dst, "users", s.Members)
	dst = appendAppearances(dst, s.Members)
	dst = appendCounts(dst, s.Count, s.Seq)
	if s.Next != "" {
		dst = appendBoolField(dst, "more", true)
	}
	return appendPartial(dst, s.Partial)
}

func appendDiff(dst []byte, d *presence.Diff) []byte {
	dst = appendStringField(dst, "channel", d.Channel)
	for _, part := range []struct {
		key     string
		members []*presence.Member
	}{{"entered", d.Entered}, {"updated", d.Updated}, {"left", d.Left}} {
		if len(part.members) > 0 {
			dst = appendMemberIDs(dst, part.key, part.members)
		}
	}
	dst = appendAppearances(dst, d.Entered, d.Updated)
	dst = appendCounts(dst, d.Count, d.Seq)
	return appendPartial(dst, d.Partial)
}

// appendCounts appends the number of members and the number of the frame. A diff whose number is
// lower than that of the last snapshot is in the snapshot already.
func appendCounts(dst []byte, count int, seq uint64) []byte {
	return appendIntField(appendIntField(dst, "count", int64(count)), "seq", int64(seq))
}

func appendPartial(dst []byte, partial bool) []byte {
	if partial {
		dst = appendBoolField(dst, "partial", true)
	}
	return dst
}

func appendMemberIDs(dst []byte, key string, ms []*presence.Member) []byte {
	dst = append(appendKey(dst, key), '[')
	for i, m := range ms {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, m.Key)
	}
	return append(dst, ']')
}

// appendAppearances appends the info of the members that are not simply online.
func appendAppearances(dst []byte, lists ...[]*presence.Member) []byte {
	begun := false
	for _, ms := range lists {
		for _, m := range ms {
			if unremarkable(m) {
				continue
			}
			if !begun {
				dst, begun = append(appendKey(dst, "info"), '{'), true
			} else {
				dst = append(dst, ',')
			}
			dst = append(AppendString(dst, m.Key), ':')
			dst = AppendMember(dst, m)
		}
	}
	if begun {
		dst = append(dst, '}')
	}
	return dst
}

func unremarkable(m *presence.Member) bool {
	return m.Info == "" && (m.Status == "" || m.Status == presence.Online)
}

// AppendMember appends a member's info as a JSON object. It has the status as a field, unless
// that is simply online.
func AppendMember(dst []byte, m *presence.Member) []byte {
	dst = append(dst, '{')
	if m.Status != "" && m.Status != presence.Online {
		dst = appendStringField(dst, "status", m.Status)
	}
	if len(m.Info) > len("{}") {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, m.Info[1:len(m.Info)-1]...)
	}
	return append(dst, '}')
}

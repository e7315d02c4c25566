package protocol

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Change is the payload of `change`.
type Change struct {
	Channel string
	// Client identifies the client beyond its connection. It is empty for a client that
	// does not repeat changes after a disconnect.
	Client string
	// LocalVersion counts the client's own changes.
	LocalVersion uint64
	// Epoch and BaseVersion are those of the state to which the change was made. The epoch
	// may be empty.
	Epoch       string
	BaseVersion uint64
	// Patch is a copy of any JSON value; its user checks it.
	Patch json.RawMessage
	// Secret is that of a stream whose client sends the change over HTTP, see [Connected]; empty for none.
	Secret string
}

// DecodeChange reads the payload of `change`.
func DecodeChange(payload json.RawMessage) (Change, *Error) {
	return decodeChange(walk(payload, "payload"), "channel")
}

// Change reads the payload of a command like [DecodeChange]. It does not scan the payload again.
func (c *Command) Change() (Change, *Error) { return decodeChange(c.walkPayload(), "channel") }

// DecodeChangeOf reads the payload of a change without a connection, over HTTP. The path names
// the channel, so the payload may omit it. Client is required.
func DecodeChangeOf(channel string, payload json.RawMessage) (Change, *Error) {
	c, e := decodeChange(walk(payload, "payload"), "client")
	switch {
	case e != nil:
		return Change{}, e
	case c.Channel != "" && c.Channel != channel:
		return Change{}, Errorf(InvalidMessage, "the payload is about the channel %s, the path is not", Quote(c.Channel))
	}
	c.Channel = channel
	return c, nil
}

func decodeChange(m members, required string) (Change, *Error) {
	var c Change
	for m.next() {
		switch string(m.name) {
		case "channel":
			c.Channel = m.text()
			m.check(ValidChannel, c.Channel)
		case "client":
			c.Client = m.text()
			m.check(ValidKey, c.Client)
		case "localVersion":
			c.LocalVersion = m.integer(maxOffset)
		case "epoch":
			c.Epoch = m.text()
			m.check(checkEpoch, c.Epoch)
		case "baseVersion":
			c.BaseVersion = m.integer(maxOffset)
		case "patch":
			c.Patch = m.content()
		case "secret":
			c.Secret = m.text()
		}
	}
	m.require(required, "localVersion", "baseVersion", "patch")
	if m.err != nil {
		return Change{}, m.err
	}
	return c, nil
}

func checkEpoch(epoch string) *Error {
	if !validEpoch(epoch) {
		return Errorf(InvalidMessage, "epoch %s is not 1 to %d letters and digits", Quote(epoch), maxEpoch)
	}
	return nil
}

// DocumentState is a document in other envelopes.
type DocumentState struct {
	Epoch   string
	Version uint64
	// State is compact JSON.
	State []byte
	// Stale reports that newer versions may exist; the client gets them later.
	Stale bool
}

func (d *DocumentState) appendField(dst []byte) []byte {
	dst = append(appendKey(dst, "document"), '{')
	dst = appendStringField(dst, "epoch", d.Epoch)
	dst = appendUintField(dst, "version", d.Version)
	if d.Stale {
		dst = appendBoolField(dst, "stale", true)
	}
	return append(append(appendKey(dst, "state"), d.State...), '}')
}

func appendUintField(dst []byte, key string, value uint64) []byte {
	return strconv.AppendUint(appendKey(dst, key), value, 10)
}

// appendHash appends the hash of a state, if there is one.
func appendHash(dst []byte, hash uint32) []byte {
	if hash == 0 {
		return dst
	}
	return fmt.Appendf(appendKey(dst, "hash"), `"%08x"`, hash)
}

// ChangeAccepted is the envelope `change-accepted`: the change was made.
type ChangeAccepted struct {
	// ID is the command's; nil for none.
	ID           json.RawMessage
	Channel      string
	LocalVersion uint64
	// Epoch and Version are those of the state after the change.
	Epoch   string
	Version uint64
	// Duplicate reports that the change had been made before.
	Duplicate bool
	// Hash is that of the state; 0: it does not come with this version.
	Hash uint32
}

// EventName is `change-accepted`.
func (ChangeAccepted) EventName() string { return TypeChangeAccepted }

// AppendEnvelope appends the envelope.
func (c ChangeAccepted) AppendEnvelope(dst []byte) []byte {
	dst = append(beginEnvelope(dst, TypeChangeAccepted, c.ID), '{')
	dst = appendStringField(dst, "channel", c.Channel)
	dst = appendUintField(dst, "localVersion", c.LocalVersion)
	dst = appendStringField(dst, "epoch", c.Epoch)
	dst = appendUintField(dst, "serverVersion", c.Version)
	if c.Duplicate {
		dst = appendBoolField(dst, "duplicate", true)
	}
	return append(appendHash(dst, c.Hash), '}', '}')
}

// ChangeRejected is the envelope `change-rejected`: the change was not made.
type ChangeRejected struct {
	// ID is the command's; nil for none.
	ID           json.RawMessage
	Channel      string
	LocalVersion uint64
	// Document is the current state.
	Document DocumentState
	// Err says why; it must not be nil.
	Err *Error
}

// EventName is `change-rejected`.
func (ChangeRejected) EventName() string { return TypeChangeRejected }

// AppendEnvelope appends the envelope.
func (c ChangeRejected) AppendEnvelope(dst []byte) []byte {
	dst = append(beginEnvelope(dst, TypeChangeRejected, c.ID), '{')
	dst = appendStringField(dst, "channel", c.Channel)
	dst = appendUintField(dst, "localVersion", c.LocalVersion)
	dst = appendErrorFields(dst, c.Err)
	dst = appendStringField(dst, "epoch", c.Document.Epoch)
	dst = appendUintField(dst, "serverVersion", c.Document.Version)
	dst = append(appendKey(dst, "serverState"), c.Document.State...)
	return append(dst, '}', '}')
}

// RemoteChange is the envelope `remote-change`: the document was changed. The connection that
// proposed the change gets Accepted instead.
type RemoteChange struct {
	Channel string
	// Epoch and Version are those of the state after the change.
	Epoch   string
	Version uint64
	// Sender is a user, or the connection of an anonymous one; empty for the app.
	Sender string
	// Patch is compact JSON.
	Patch []byte
	// Hash is that of the state; 0: it does not come with this version.
	Hash uint32
	// Connection is the id of the one that gets Accepted instead; empty for none.
	Connection string
	Accepted   ChangeAccepted
}

// EventName is `remote-change`.
func (RemoteChange) EventName() string { return TypeRemoteChange }

// Size implements [hub.Sized].
func (c RemoteChange) Size() int { return len(c.Patch) }

// For implements [hub.Personal].
func (c RemoteChange) For(connection string) hub.Event {
	if c.Connection == "" || c.Connection != connection {
		return nil
	}
	return c.Accepted
}

// AppendEnvelope appends the envelope.
func (c RemoteChange) AppendEnvelope(dst []byte) []byte {
	dst = append(beginEnvelope(dst, TypeRemoteChange, nil), '{')
	dst = appendStringField(dst, "channel", c.Channel)
	dst = appendStringField(dst, "epoch", c.Epoch)
	dst = appendUintField(dst, "serverVersion", c.Version)
	if c.Sender != "" {
		dst = appendStringField(dst, "sender", c.Sender)
	}
	dst = appendHash(dst, c.Hash)
	dst = append(appendKey(dst, "patch"), c.Patch...)
	return append(dst, '}', '}')
}

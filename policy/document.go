package policy

import (
	"bytes"
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// CheckDocument holds the state that a document would get against the room's schema,
// and against its sanitizing: what that would alter is refused, because a client that
// shows its change already can not be given another one. The bounds are the
// document's own. The errors are TOO_LARGE and SCHEMA_VIOLATION.
func (r *Room) CheckDocument(state json.RawMessage) *protocol.Error {
	if !r.ChecksDocument() {
		return nil
	}
	bounds := Bounds{Nodes: defaultNodes}
	shape, e := bounds.checkShape(state, r.Schema != nil)
	if e == nil && r.Schema != nil {
		e = r.Schema.check(state, shape)
	}
	if e != nil || r.Sanitize == SanitizeNone {
		return e
	}
	clean, changed, e := r.Sanitize.apply(state)
	if e == nil && changed && !bytes.Equal(clean, state) {
		e = protocol.Errorf(protocol.SchemaViolation, "the document would hold markup that this room does not allow")
	}
	return e
}

// ChecksDocument reports whether [Room.CheckDocument] has anything to do. A nil Room
// has no rules.
func (r *Room) ChecksDocument() bool {
	return r != nil && (r.Schema != nil || r.Sanitize != SanitizeNone)
}

package policy

import (
	"bytes"
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// CheckDocument checks the new state of a document by the room's schema and sanitizing. It
// rejects a state that sanitizing would alter, because the client shows its change already
// and can not get another one. The document has bounds of its own. The errors are TOO_LARGE
// and SCHEMA_VIOLATION.
func (r *Room) CheckDocument(state json.RawMessage) *protocol.Error {
	if !r.ChecksDocument() {
		return nil
	}
	bounds := Bounds{Nodes: DefaultNodes}
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

package policy

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Check holds a content against the rules of the room and gives the content that is
// to be published: the same, or what sanitizing made of it. content is valid and
// compact JSON, as [protocol.DecodeContent] gives it, and is not changed. A nil Room
// has no rules. The errors are TOO_LARGE, and SCHEMA_VIOLATION, which names what is
// wrong and where.
//
// The bounds come first, since they are cheap and bound what the others cost. Then
// the schema judges what the client sent: its errors name what the client knows,
// and a message of the wrong form is refused instead of being repaired into the
// right one. What sanitizing changes goes through size and schema once more, so
// that subscribers get nothing that they would not get otherwise: "<b></b>" has a
// minLength of 1 before and not after.
func (r *Room) Check(content json.RawMessage) (json.RawMessage, *protocol.Error) {
	if r == nil || !r.checks {
		return content, nil
	}
	if e := r.checkForm(content); e != nil {
		return nil, e
	}
	clean, changed, e := r.Sanitize.apply(content)
	if e != nil || !changed {
		return clean, e
	}
	if e = r.checkForm(clean); e != nil {
		e.Message = "after sanitizing: " + e.Message
		return nil, e
	}
	return clean, nil
}

// checkForm does all that does not change a content.
func (r *Room) checkForm(content json.RawMessage) *protocol.Error {
	if e := r.Bounds.checkSize(content); e != nil {
		return e
	}
	shape, e := r.Bounds.checkShape(content, r.Schema != nil)
	if e != nil || r.Schema == nil {
		return e
	}
	return r.Schema.check(content, shape)
}

// prepareChecks finds out what Check has to do.
func (r *Room) prepareChecks() error {
	if err := r.Bounds.validate(); err != nil {
		return err
	}
	costly := r.Schema != nil || r.Sanitize != SanitizeNone
	if costly && r.Bounds.Nodes == 0 {
		r.Bounds.Nodes = defaultNodes
	}
	r.checks = r.Bounds != Bounds{}
	return nil
}

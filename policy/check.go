package policy

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Check checks a content by the rules of the room and returns the content to publish: the
// same one, or the sanitized one. content must be valid and compact JSON, as
// [protocol.DecodeContent] returns it. Check does not change it. A nil Room has no rules.
// The errors are TOO_LARGE, and SCHEMA_VIOLATION, which says what is wrong and where.
//
// The bounds come first, because they are cheap and limit what the others cost. Then comes
// the schema, on what the client sent: its errors name what the client knows, and a message
// of the wrong form is rejected instead of being repaired. If sanitizing changes the
// content, size and schema are checked again, so that subscribers get nothing that breaks
// the rules: "<b></b>" has a minLength of 1 before sanitizing and not after it.
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

// checkForm makes the checks that do not change the content.
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

// prepareChecks sets what Check has to do.
func (r *Room) prepareChecks() error {
	if err := r.Bounds.validate(); err != nil {
		return err
	}
	costly := r.Schema != nil || r.Sanitize != SanitizeNone
	if costly && r.Bounds.Nodes == 0 {
		r.Bounds.Nodes = DefaultNodes
	}
	r.checks = r.Bounds != Bounds{}
	return nil
}

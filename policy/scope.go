package policy

import "github.com/caddy-realtime/caddy-realtime/protocol"

// Scope is what an API key may do. The nil Scope allows everything.
type Scope struct {
	grants Grants
	manage bool
}

// NewScope returns the scope of a key that may do actions in the channels that
// their patterns match, and, with manage, what concerns connections rather than
// channels: list, disconnect, revoke. Who may read the history or change the document
// may read the document. The errors are those of [CompileGrants].
func NewScope(actions map[string][]string, manage bool) (*Scope, error) {
	var grants []Grant
	for action, patterns := range actions {
		for _, pattern := range patterns {
			allow := []string{action}
			if action == "history" || action == "change" {
				allow = append(allow, "subscribe")
			}
			grants = append(grants, Grant{Pattern: pattern, Allow: allow})
		}
	}
	compiled, err := CompileGrants(grants)
	if err != nil {
		return nil, err
	}
	return &Scope{grants: compiled, manage: manage}, nil
}

// Allow decides whether the key may do a in channel: nil, or FORBIDDEN.
func (s *Scope) Allow(a Action, channel string) *protocol.Error {
	if s == nil || s.grants.Cover(a, channel) {
		return nil
	}
	return protocol.Errorf(protocol.Forbidden, "this API key may not %v this channel", a)
}

// AllowManage decides about what concerns no single channel: nil, or FORBIDDEN.
func (s *Scope) AllowManage() *protocol.Error {
	if s == nil || s.manage {
		return nil
	}
	return protocol.Errorf(protocol.Forbidden, "this API key may not list channels, disconnect or revoke")
}

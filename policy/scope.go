package policy

import "github.com/caddy-realtime/caddy-realtime/protocol"

// Scope is what an API key may do. A nil Scope allows everything.
type Scope struct {
	grants Grants
	manage bool
}

// NewScope returns the scope of a key. actions has the patterns of the channels by action.
// With manage the key may also list, disconnect and revoke. A key that may read the history
// or change the document may also read the document. The errors are those of
// [CompileGrants].
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

// Allow returns nil if the key may do a in channel, and FORBIDDEN otherwise.
func (s *Scope) Allow(a Action, channel string) *protocol.Error {
	if s == nil || s.grants.Cover(a, channel) {
		return nil
	}
	return protocol.Errorf(protocol.Forbidden, "this API key may not %v this channel", a)
}

// AllowManage returns nil if the key may manage, and FORBIDDEN otherwise.
func (s *Scope) AllowManage() *protocol.Error {
	if s == nil || s.manage {
		return nil
	}
	return protocol.Errorf(protocol.Forbidden, "this API key lacks the permission 'manage'")
}

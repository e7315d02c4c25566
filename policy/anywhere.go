package policy

import "github.com/caddy-realtime/caddy-realtime/protocol"

// AllowAnywhere decides whether there may be a channel in which s may do a. It is for a
// request that names its channels in a body that was not read yet. Nil only means that the
// body is worth reading. The errors are those of [Room.Allow].
func (p *Policy) AllowAnywhere(a Action, s *Subject) *protocol.Error {
	open := false
	for _, r := range p.blocks() {
		access := r.access(a)
		admitted := access == Anyone || access == Users && s.User != "" || access == Granted && s.Grants.any(a)
		if admitted && r.pattern.mayBeOwnedBy(s) {
			return nil
		}
		open = open || access >= Granted
	}
	if open && s.User == "" {
		return protocol.Errorf(protocol.Unauthorized, "you must be signed in to %v any channel", a)
	}
	return protocol.Errorf(protocol.Forbidden, "you may not %v any channel", a)
}

func (p *Policy) blocks() []*Room {
	if p == nil {
		return nil
	}
	return p.rooms
}

// mayBeOwnedBy reports whether s has a value for every placeholder of the pattern.
func (p *pattern) mayBeOwnedBy(s *Subject) bool {
	for _, segment := range p.segments {
		if segment.owned() && s.value(segment) == "" {
			return false
		}
	}
	return true
}

// any reports whether one of the grants allows a in any channel.
func (g Grants) any(a Action) bool {
	for i := range g.list {
		if g.list[i].actions&(1<<a) != 0 {
			return true
		}
	}
	return false
}

// AllowAnywhere returns nil if the key may do a in some channel, and FORBIDDEN otherwise.
func (s *Scope) AllowAnywhere(a Action) *protocol.Error {
	if s == nil || s.grants.any(a) {
		return nil
	}
	return protocol.Errorf(protocol.Forbidden, "this API key may not %v any channel", a)
}

package policy

import "github.com/caddy-realtime/caddy-realtime/protocol"

// AllowAnywhere decides whether there can be a channel in which s may do a, without
// naming one: for a request that names its channels in a body which is not read yet. Nil
// only says that it is worth reading. The errors are those of [Room.Allow].
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

// mayBeOwnedBy reports whether s has what the placeholders of the pattern stand for.
func (p *pattern) mayBeOwnedBy(s *Subject) bool {
	for _, segment := range p.segments {
		if segment.owned() && s.value(segment) == "" {
			return false
		}
	}
	return true
}

// any reports whether one of the grants allows a, in whichever channel.
func (g Grants) any(a Action) bool {
	for i := range g.list {
		if g.list[i].actions&(1<<a) != 0 {
			return true
		}
	}
	return false
}

// AllowAnywhere decides whether the key may do a in any channel: nil, or FORBIDDEN.
func (s *Scope) AllowAnywhere(a Action) *protocol.Error {
	if s == nil || s.grants.any(a) {
		return nil
	}
	return protocol.Errorf(protocol.Forbidden, "this API key may not %v any channel", a)
}

package session

import (
	"bytes"
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// who returns the principal as it is known now.
func (s *Session) who() *Principal { return s.principal.Load() }

// become gives the session another principal, unless a rule forbids it. A connection
// that has a user keeps it: what was queued for one user must not reach another, and
// the rooms have seen the user.
func (s *Session) become(old, next *Principal) *protocol.Error {
	if old.User != "" && old.User != next.User {
		return protocol.Errorf(protocol.Forbidden, "the token is not of this connection's user; open another connection")
	}
	if e := s.registry.Refuse(next.Identity()); e != nil {
		return e
	}
	if old.User != next.User {
		if e := s.registry.AdmitUser(s.ctx, next.User); e != nil {
			return e
		}
	}
	return s.registry.rename(s, next)
}

// rename moves a session in the census.
func (r *Registry) rename(s *Session, next *Principal) *protocol.Error {
	limits := r.rules.Load().limits
	r.mu.Lock()
	defer r.mu.Unlock()
	old := s.who()
	if _, there := r.sessions[s]; !there {
		return protocol.AsError(hub.ErrClosed)
	}
	if old.User != next.User && over(r.census.users[next.User], limits.ConnectionsPerUser) {
		return overcrowded("too many connections of this user")
	}
	r.tally(old, -1)
	r.tally(next, 1)
	s.principal.Store(next)
	return nil
}

// applyPrincipal applies the new principal to what the session has.
func (s *Session) applyPrincipal(old, next *Principal) {
	u := s.registry.rules.Load()
	s.unwatch()
	s.watch(u)
	s.endIfSentAway()
	s.applyRules(u)
	switch {
	case old.User != next.User:
		s.reappear(u)
	case !bytes.Equal(old.Info, next.Info):
		s.describe(next.Info)
	}
}

// reappear makes the session another member of its rooms. The others see one leave
// and one enter, which is what has happened as far as they can know.
func (s *Session) reappear(u *rules) {
	s.mu.Lock()
	all := s.stays
	s.stays = nil
	s.mu.Unlock()
	for channel, a := range all {
		a.Leave()
		s.enterPresence(u, channel, a.said)
	}
}

// describe changes what the server says of the session's member.
func (s *Session) describe(info json.RawMessage) {
	if info == nil {
		info = json.RawMessage(`{}`) // takes back what was said
	}
	s.mu.Lock()
	all := make([]*attendance, 0, len(s.stays))
	for _, a := range s.stays {
		all = append(all, a)
	}
	s.mu.Unlock()
	for _, a := range all {
		if err := a.Update(presence.Change{Server: info}); err != nil {
			s.registry.rules.Load().log.Error("presence failed", "error", err, "connection", s.conn.ID())
		}
	}
}

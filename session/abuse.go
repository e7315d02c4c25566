package session

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// comebacks is how often a client may come back after it was thrown out: a few
// times as it likes, as a page with a mistake in it does, and then every ten
// seconds. Without a bound a flood would cost a handshake, and bring a full bucket,
// as often as its connection is ended.
var comebacks = policy.Rate{PerSecond: 0.1, Burst: 5}

// CloseForAbuse closes the connection for what its client did, and remembers the client. A
// transport calls it for abuse that only it sees.
func (s *Session) CloseForAbuse(why hub.Reason) {
	r := s.registry
	if key := r.abuser(s.who()); key != "" && s.notThrownOut() {
		r.abusers.take(key, comebacks, time.Now())
	}
	s.conn.Close(why)
}

// notThrownOut reports that it happens for the first time: what has arrived already
// is still read.
func (s *Session) notThrownOut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	again := s.thrown
	s.thrown = true
	return !again
}

// abuser is whom to remember for abuse; empty for nobody. Users answer for
// themselves alone. An address stands for those without a user, but only where the
// configuration has a limit for it: elsewhere all of them may come from the address
// of a proxy.
func (r *Registry) abuser(p *Principal) string {
	switch {
	case p.User != "":
		return "u" + p.User
	case r.rules.Load().limits.perAddress() && p.IP.IsValid():
		return "a" + network(p.IP).String()
	}
	return ""
}

// barred refuses a client that was thrown out too often.
func (r *Registry) barred(p *Principal) *protocol.Error {
	return rateLimited(r.abusers.wait(r.abuser(p), comebacks, time.Now()), "connections that had to be ended for what was sent")
}

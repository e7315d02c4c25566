package session

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// defaultDeadline is how long a client has to authenticate where it must: time for a
// slow network, and not enough to be worth holding connections open for.
const defaultDeadline = 10 * time.Second

// Realm is what a route knows about those who may come through it. A connection
// keeps its realm's name only, so that it outlives the configuration of its route
// and lives by the one in force. In a realm that is gone nobody can authenticate.
type Realm struct {
	// Tokens verifies what clients authenticate with; nil: they can not.
	Tokens *auth.Verifier
	// Required says that a connection which nobody was recognized on has to
	// authenticate before it may do anything else.
	Required bool
	// Deadline is how long such a connection may take; 0 means 10 s.
	Deadline time.Duration
	// Authorize gives the application's word about what the policy allows already,
	// for the actions in Ask; nil: nobody is asked. An [auth.Guard] should stand in
	// front of it. A subscription that it allowed lasts until the client unsubscribes
	// or the policy forbids it.
	Authorize auth.Authorizer
	Ask       auth.Action
}

// mustAuthenticate says why a principal may not do anything yet; nil: it may.
func (u *rules) mustAuthenticate(p *Principal) *protocol.Error {
	if p.Known() || !u.realms[p.Realm].Required {
		return nil
	}
	return protocol.Errorf(protocol.Unauthorized, "authenticate first")
}

// deadline is how long a client that must authenticate may take. One that can not do it
// on its connection was there before the realm required it.
func (u *rules) deadline(p *Principal) time.Duration {
	switch realm := u.realms[p.Realm]; {
	case realm.Tokens == nil:
		return 0
	case realm.Deadline > 0:
		return realm.Deadline
	}
	return defaultDeadline
}

// unasked reports whether a client came in before its realm asked the app. The app can
// not be asked later: nothing of the handshake was kept for it.
func (u *rules) unasked(p *Principal) bool {
	return u.realms[p.Realm].Authorize != nil && p.Handshake == ""
}

// askAgain has a client that the application was not asked about come in once more.
func (s *Session) askAgain(u *rules, conn *hub.Conn) {
	if u.unasked(s.who()) {
		conn.Close(changed)
	}
}

package session

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// MaxReason bounds the text that goes with a kick, in bytes. The frame that carries
// it holds no more than 123.
const MaxReason = 100

// kickCodes are the registered close codes that an application may mean. The others
// either accuse the client of something or are never sent.
var kickCodes = []int{1000, 1001, 1008, 1011, 1012, 1013}

// KickReason makes the reason for [Registry.KickUser] and
// [Registry.KickConnection] of what an application says. 0 and the empty text stand
// for the usual: code 4403, after which clients do not come back by themselves. The
// error is INVALID_MESSAGE.
func KickReason(code int, text string) (hub.Reason, *protocol.Error) {
	usual := protocol.ReasonForbidden
	switch code = cmp.Or(code, int(usual.Code)); {
	case (code < 4000 || code > 4999) && !slices.Contains(kickCodes, code):
		return hub.Reason{}, protocol.Errorf(protocol.InvalidMessage, "code %d is neither from 4000 to 4999 nor one of %v", code, kickCodes)
	case len(text) > MaxReason:
		return hub.Reason{}, protocol.Errorf(protocol.InvalidMessage, "reason is longer than %d bytes", MaxReason)
	case !utf8.ValidString(text), strings.ContainsFunc(text, unicode.IsControl):
		return hub.Reason{}, protocol.Errorf(protocol.InvalidMessage, "reason is not a line of text in UTF-8")
	}
	return hub.Reason{Code: uint16(code), Text: cmp.Or(text, usual.Text)}, nil
}

// KickUser ends a user's connections to this node and returns how many those were.
// The user may come back; [Registry.Revoke] prevents that.
func (r *Registry) KickUser(user string, reason hub.Reason) (n int) {
	for _, s := range r.sessionsOf(user) {
		if conn := s.connection(); conn != nil {
			conn.Close(reason)
			n++
		}
	}
	return n
}

// KickConnection ends a connection to this node. False: there is none with this id.
func (r *Registry) KickConnection(id string, reason hub.Reason) bool {
	conn, there := r.hub.Conn(id)
	if there {
		conn.Close(reason)
	}
	return there
}

// sessionsOf lists the sessions of a user. Their number is known, so that nobody is
// looked for who is not there.
func (r *Registry) sessionsOf(user string) (found []*Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.census.users[user]
	if n == 0 {
		return nil
	}
	found = make([]*Session, 0, n)
	for s := range r.sessions {
		if s.who().User == user {
			if found = append(found, s); len(found) == n {
				break
			}
		}
	}
	return found
}

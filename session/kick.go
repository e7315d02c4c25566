package session

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
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

// KickUser ends a user's connections, to all nodes. The user may come back;
// [Registry.Revoke] prevents that. A handshake that is on its way does not get in by
// what was found out before: the application is asked again, or the connection ends. The error is UNAVAILABLE when only this node did
// it.
func (r *Registry) KickUser(ctx context.Context, user string, reason hub.Reason) (Ended, *protocol.Error) {
	here := r.kickUser(user, reason, time.Now())
	return r.order(ctx, here, order{Kick: &kick{User: user, Code: reason.Code, Reason: reason.Text}}, "", 0)
}

// kickUser ends those connections to this node that began before a time. It is
// remembered before the application is asked anew, and that before connections are
// looked for: so whatever is on its way finds one of the three.
func (r *Registry) kickUser(user string, reason hub.Reason, before time.Time) (n int) {
	if user == "" {
		return 0
	}
	r.dismissed.add(user, dismissal{before, reason})
	r.forget(user)
	for _, s := range r.sessionsOf(user) {
		if conn := s.connection(); conn != nil && !s.began().After(before) {
			conn.Close(reason)
			n++
		}
	}
	return n
}

// maxConnectionID is longer than the id of any connection.
const maxConnectionID = 64

// KickConnection ends a connection, whatever node it is to. That there is none with
// this id is no error; UNAVAILABLE is when it is not to this node and others could
// not be told.
func (r *Registry) KickConnection(ctx context.Context, id string, reason hub.Reason) (Ended, *protocol.Error) {
	if n := r.kickConnection(id, reason); n > 0 || len(id) > maxConnectionID {
		return Ended{Connections: n, Nodes: 1}, nil
	}
	return r.order(ctx, 0, order{Kick: &kick{Connection: id, Code: reason.Code, Reason: reason.Text}}, "", 0)
}

func (r *Registry) kickConnection(id string, reason hub.Reason) int {
	conn, there := r.hub.Conn(id)
	if !there {
		return 0
	}
	conn.Close(reason)
	return 1
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

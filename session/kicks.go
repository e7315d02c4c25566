package session

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// MaxReason bounds the text of a kick, in bytes. A close frame can hold 123.
const MaxReason = 100

// kickCodes are the registered close codes that the app may use. The others either say that
// the client broke a rule, or must never be sent.
var kickCodes = []int{1000, 1001, 1008, 1011, 1012, 1013}

// KickReason makes the reason for [Kicks.User] and [Kicks.Connection] from the code and the
// text of the app. 0 and the empty text mean the default: code 4403, after which clients do
// not reconnect by themselves. The error is INVALID_MESSAGE.
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

// Kicks closes the connections of a user, or one connection, on all nodes.
type Kicks struct {
	// Static.
	hub      *hub.Hub
	rules    *current
	sessions *sessions
	cluster  *cluster
	lost     *lostConns

	recent recentKicks
}

// User closes a user's connections to all nodes. The user may come back; only
// [Revocations.Revoke] prevents that. A handshake that is on its way does not escape the
// kick: the app is asked again, or the connection is closed. The error is UNAVAILABLE if
// only this node carried the kick out.
func (k *Kicks) User(ctx context.Context, user string, reason hub.Reason) (Ended, *protocol.Error) {
	here := k.user(user, reason, time.Now())
	return k.cluster.order(ctx, here, order{Kick: &kick{User: user, Code: reason.Code, Reason: reason.Text}}, "", 0)
}

// user closes the user's connections to this node that started before a time. It first
// records the kick, then drops the app's answers about the user, then closes connections: a
// connection that is on its way meets one of the three.
func (k *Kicks) user(user string, reason hub.Reason, before time.Time) (n int) {
	if user == "" {
		return 0
	}
	k.recent.add(user, recentKick{before, reason})
	k.rules.Load().forget(user)
	for _, s := range k.sessions.of(user) {
		if conn := s.connection(); conn != nil && !s.since().After(before) {
			conn.Close(reason)
			n++
		}
	}
	return n
}

// maxConnectionID is longer than the id of any connection.
const maxConnectionID = 64

// Connection closes a connection to any node. It is no error if no connection has this id.
// The error is UNAVAILABLE if the connection is not to this node and the other nodes can not
// be reached.
func (k *Kicks) Connection(ctx context.Context, id string, reason hub.Reason) (Ended, *protocol.Error) {
	if n := k.connection(id, reason); n > 0 || len(id) > maxConnectionID {
		return Ended{Connections: n, Nodes: 1}, nil
	}
	return k.cluster.order(ctx, 0, order{Kick: &kick{Connection: id, Code: reason.Code, Reason: reason.Text}}, "", 0)
}

// connection closes a connection to this node. One that is lost can not be resumed: its ticket is dropped after the close,
// because the connection may be lost just before the close.
func (k *Kicks) connection(id string, reason hub.Reason) int {
	defer k.lost.void(Target{Connection: id}, "")
	conn, there := k.hub.Conn(id)
	if !there {
		return 0
	}
	conn.Close(reason)
	return 1
}

const (
	// keepKicks is how long a kick is remembered: longer than any request takes between the
	// check of its sender and its effect.
	keepKicks = 10 * time.Minute
	// maxKicks bounds how many kicks are remembered.
	maxKicks = 100_000
)

// recentKicks are the kicks of the last minutes. A connection or a request that is on its
// way when its user is kicked can not be closed yet: it finds the kick here.
type recentKicks struct {
	mu      sync.Mutex
	users   map[string]recentKick
	sweepAt int // number of users at which sweep runs
}

// recentKick is a kick. It covers clients that were recognized before a time.
type recentKick struct {
	before time.Time
	reason hub.Reason
}

func (l *recentKicks) add(user string, d recentKick) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == nil {
		l.users, l.sweepAt = make(map[string]recentKick), 16
	}
	if d.before.Before(l.users[user].before) {
		return // an older order that arrives late
	}
	if len(l.users) >= l.sweepAt {
		l.sweep(time.Now())
	}
	l.users[user] = d
}

// sweep drops old kicks. If too many are left, it also drops any eighth of the maximum.
func (l *recentKicks) sweep(now time.Time) {
	for user, d := range l.users {
		if now.Sub(d.before) > keepKicks {
			delete(l.users, user)
		}
	}
	for user := range l.users {
		if len(l.users) <= maxKicks*7/8 {
			break
		}
		delete(l.users, user)
	}
	l.sweepAt = min(max(16, 2*len(l.users)), maxKicks)
}

// since returns the kick that covers a principal, if there is one.
func (l *recentKicks) since(p *Principal) (hub.Reason, bool) {
	if p.User == "" || p.AsOf.IsZero() {
		return hub.Reason{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	d, there := l.users[p.User]
	return d.reason, there && p.AsOf.Before(d.before)
}

// covers reports whether a user was kicked after a time.
func (l *recentKicks) covers(user string, since time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	d, there := l.users[user]
	return user != "" && there && since.Before(d.before)
}

// closeIfKickedOrRevoked closes a connection that a kick or a revocation has missed, because
// the session, or its identity, was still being made.
func (s *Session) closeIfKickedOrRevoked() {
	p := s.who()
	if s.registry.Revocations.Revoked(p.Identity()) {
		s.closeRevoked()
		return
	}
	if reason, gone := s.registry.Kicks.recent.since(p); gone {
		s.conn.Close(reason)
	}
}

// since returns when the connection started: when its client was recognized, or when the
// session was opened, whichever was first.
func (s *Session) since() time.Time {
	if asOf := s.who().AsOf; asOf.Before(s.started) {
		return asOf
	}
	return s.started
}

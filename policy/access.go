package policy

import (
	"cmp"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Access says who may do something in a room.
type Access uint8

const (
	// Default lets [Compile] decide, see the fields of [Room]. It is the zero value. Where
	// nothing else is said it means [Server].
	Default Access = iota
	// Server is the app alone, over the HTTP API with its key. No grant of a token changes
	// that.
	Server
	// Granted is every caller whose token grants the action in the channel, even if the
	// token names no user. To be a user is not enough.
	Granted
	// Users is every caller that is not anonymous. A grant does not replace a user: where
	// users publish, each message has a user as its sender.
	Users
	// Anyone includes anonymous clients.
	Anyone
)

var accessWords = [...]string{Default: "default", Server: "server", Granted: "granted", Users: "users", Anyone: "anyone"}

// String returns the word of the configuration.
func (a Access) String() string {
	if int(a) < len(accessWords) {
		return accessWords[a]
	}
	return fmt.Sprintf("Access(%d)", uint8(a))
}

// ParseAccess parses the word of the configuration.
func ParseAccess(word string) (Access, error) {
	for a := Server; a <= Anyone; a++ {
		if accessWords[a] == word {
			return a, nil
		}
	}
	return Server, fmt.Errorf("%q is none of anyone, users, granted, server", word)
}

// Allow decides whether s may do a in a channel that r matched. It returns nil if s may,
// UNAUTHORIZED if s may be allowed once it has authenticated, and FORBIDDEN otherwise. A
// nil Room stands for a channel that no block matches: it allows nothing.
func (r *Room) Allow(a Action, s *Subject, channel string) *protocol.Error {
	switch access := r.access(a); {
	case access < Granted, access > Anyone:
		return forbidden(a)
	case access.admits(a, s, channel) && r.pattern.ownedBy(s, channel):
		return nil
	case s.anonymous(), s.User == "" && (access == Users || r.pattern.named):
		return protocol.Errorf(protocol.Unauthorized, "you must be signed in to %v this channel", a)
	}
	return forbidden(a)
}

// OwnedBy reports whether the placeholders of the pattern, such as {user}, fit s in a channel
// that r matched. A pattern without placeholders fits everybody.
func (r *Room) OwnedBy(s *Subject, channel string) bool { return r.pattern.ownedBy(s, channel) }

// Opens reports whether a client can be allowed to do a in the channels of r at all, because the
// rules do not leave it to the app and the channels belong to nobody. A nil Room opens nothing.
func (r *Room) Opens(a Action) bool {
	access := r.access(a)
	return access >= Granted && access <= Anyone && !r.pattern.personal
}

// admits reports whether the access alone allows s, whoever owns the channel.
func (access Access) admits(a Action, s *Subject, channel string) bool {
	switch access {
	case Anyone:
		return true
	case Users:
		return s.User != ""
	case Granted:
		return s.Grants.Cover(a, channel)
	}
	return false
}

func (r *Room) access(a Action) Access {
	if r == nil {
		return Server
	}
	switch a {
	case Subscribe:
		return r.Subscribe
	case Publish:
		return r.Publish
	case Presence:
		return r.PresenceAccess
	case History:
		return r.HistoryAccess
	case Change:
		return r.ChangeAccess
	}
	return Server // an unknown action is not allowed
}

// fillInAccess sets the accesses that were left to the default. History and members belong
// to subscribing, changes of the document to publishing.
func (r *Room) fillInAccess() {
	r.Subscribe = cmp.Or(r.Subscribe, Server)
	r.Publish = cmp.Or(r.Publish, Server)
	r.PresenceAccess = cmp.Or(r.PresenceAccess, r.Subscribe)
	r.HistoryAccess = cmp.Or(r.HistoryAccess, r.Subscribe)
	r.ChangeAccess = cmp.Or(r.ChangeAccess, r.Publish)
}

func forbidden(a Action) *protocol.Error {
	return protocol.Errorf(protocol.Forbidden, "you may not %v this channel", a)
}

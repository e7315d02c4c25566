package policy

import (
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Access says who may do something in a room.
type Access uint8

const (
	// Server is nobody but the app itself, over the HTTP API with its key. It is
	// the zero value.
	Server Access = iota
	// Users is everyone who is known, that is, not anonymous.
	Users
	// Anyone includes anonymous clients.
	Anyone
)

var accessWords = [...]string{Server: "server", Users: "users", Anyone: "anyone"}

// String gives the word of the configuration.
func (a Access) String() string {
	if int(a) < len(accessWords) {
		return accessWords[a]
	}
	return fmt.Sprintf("Access(%d)", uint8(a))
}

// ParseAccess reads the word of the configuration.
func ParseAccess(word string) (Access, error) {
	for a, w := range accessWords {
		if w == word {
			return Access(a), nil
		}
	}
	return Server, fmt.Errorf("%q is none of anyone, users, server", word)
}

// Action is something a client wants to do in a room.
type Action uint8

const (
	// Subscribe is to receive the messages of a channel, retained ones included.
	Subscribe Action = iota
	// Publish is to send a message to everyone in the channel.
	Publish
)

// String gives a verb for messages to people.
func (a Action) String() string {
	switch a {
	case Subscribe:
		return "subscribe to"
	case Publish:
		return "publish to"
	}
	return fmt.Sprintf("Action(%d)", uint8(a))
}

// Allow decides whether user (empty: anonymous) may do a in channel, which r
// matched. It gives nil when that is so, UNAUTHORIZED when it could be so for an
// anonymous caller that says who it is, and FORBIDDEN otherwise. A nil Room is the
// channel that no block matches: it allows nothing.
func (r *Room) Allow(a Action, user, channel string) *protocol.Error {
	switch access := r.access(a); {
	case access == Server:
		return forbidden(a)
	case user == "" && (access == Users || r.pattern.personal):
		return protocol.Errorf(protocol.Unauthorized, "you must be signed in to %v this channel", a)
	case access > Anyone, !r.pattern.ownedBy(user, channel):
		return forbidden(a)
	}
	return nil
}

func (r *Room) access(a Action) Access {
	switch {
	case r == nil:
		return Server
	case a == Subscribe:
		return r.Subscribe
	case a == Publish:
		return r.Publish
	}
	return Server // an action that nobody thought of is not allowed
}

func forbidden(a Action) *protocol.Error {
	return protocol.Errorf(protocol.Forbidden, "you may not %v this channel", a)
}

package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"time"
)

// Action is what an [Authorizer] is asked to allow, or several of them as a set.
type Action uint8

const (
	// Connect is to open a connection.
	Connect Action = 1 << iota
	// Subscribe is to receive the messages of a channel, and to read its history and
	// members.
	Subscribe
	// Publish is to send a message to a channel.
	Publish
)

// String gives the words for the actions, with commas between them.
func (a Action) String() string {
	var words []string
	for i, word := range []string{"connect", "subscribe", "publish"} {
		if a&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return strings.Join(words, ",")
}

// Question is what an [Authorizer] is asked. Everything that an answer depends on is
// in it: questions that are equal but for From may get a remembered answer.
type Question struct {
	Action Action
	// Channel is empty when it is about the connection.
	Channel string
	// User is who asks, as far as that is known; may be empty.
	User string
	// Handshake is what was kept of the request that opened the connection, such as
	// its cookies, in a form that only the Authorizer knows. It may be secret.
	Handshake string
	// From is the address, or the network, that the question comes from. No answer
	// depends on it; [Guard] gives each address its share. Zero: it is not known.
	From netip.Addr
}

// Answer says yes. Its fields count for [Connect] alone, but for Expires.
type Answer struct {
	// User and Info are who connects; empty means that they stay as they were found
	// out before.
	User string
	Info json.RawMessage
	// Grants open channels; nil: as before.
	Grants []Grant
	// Expires is when the connection ends unless it asks anew, or the answer is not
	// to be remembered any more; zero for never.
	Expires time.Time
	// Asked is when the question was asked, by which a [Revocation] counts; a [Guard]
	// sets it, and zero means now.
	Asked time.Time
}

// Authorizer decides what a client may do beyond the rules of the configuration. It
// has no say about what those refuse.
type Authorizer interface {
	// Authorize answers a question. To say no is to return [ErrDenied] or
	// [ErrUnauthorized]; any other error means that nobody can tell at the moment.
	// It may be called by several goroutines at once, and returns when ctx ends.
	Authorize(ctx context.Context, q Question) (Answer, error)
}

// The errors of an [Authorizer] that are decisions, and of a [Guard] that has none.
var (
	// ErrDenied means that the client may not do it.
	ErrDenied = errors.New("auth: denied by the application")
	// ErrUnauthorized means that it may, perhaps, when it says who it is.
	ErrUnauthorized = errors.New("auth: the application does not know the client")
	// ErrUnavailable means that there is no decision.
	ErrUnavailable = errors.New("auth: the application gives no answer")
)

// decided reports whether an answer or an error is a decision.
func decided(err error) bool {
	return err == nil || errors.Is(err, ErrDenied) || errors.Is(err, ErrUnauthorized)
}

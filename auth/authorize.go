package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"time"
)

// Action is what an [Authorizer] is asked to allow. Several actions form a set.
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

// String returns the names of the actions, separated by commas.
func (a Action) String() string {
	var words []string
	for i, word := range []string{"connect", "subscribe", "publish"} {
		if a&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return strings.Join(words, ",")
}

// Question is what an [Authorizer] is asked. It holds everything that the answer depends
// on: two questions that differ only in From may get the same remembered answer.
type Question struct {
	Action Action
	// Channel is empty if the question is about the connection.
	Channel string
	// User is the client's user, as far as it is known. It may be empty.
	User string
	// Handshake is what was kept of the request that opened the connection, such as its
	// cookies. Only the Authorizer knows its form. It may be secret.
	Handshake string
	// From is the address, or the network, that the question comes from. No answer depends
	// on it; a [Guard] limits the questions of each address. The zero Addr is unknown.
	From netip.Addr
}

// Answer allows the action. Except for Expires, its fields count for [Connect] alone.
type Answer struct {
	// User and Info replace those of the connection. Empty leaves them as they are.
	User string
	Info json.RawMessage
	// Grants open channels. Nil leaves the grants as they are.
	Grants []Grant
	// Expires is when the answer ends: the connection must be authorized again then, and a
	// remembered answer is dropped. Zero means never.
	Expires time.Time
	// Asked is when the question was asked. A [Revocation] compares its time with it. A
	// [Guard] sets it; zero means now.
	Asked time.Time
}

// Authorizer decides what a client may do beyond the rules of the configuration. It can not
// allow what those rules reject.
type Authorizer interface {
	// Authorize answers a question. The errors [ErrDenied] and [ErrUnauthorized] are
	// decisions. Any other error means that there is no decision at the moment. Several
	// goroutines may call it at once. It returns when ctx ends.
	Authorize(ctx context.Context, q Question) (Answer, error)
}

// The errors of an [Authorizer] that are decisions, and of a [Guard] that has none.
var (
	// ErrDenied means that the client may not do it.
	ErrDenied = errors.New("auth: denied by the app")
	// ErrUnauthorized means that the client may be allowed once it has authenticated.
	ErrUnauthorized = errors.New("auth: the app does not know the client, which must authenticate")
	// ErrUnavailable means that there is no decision.
	ErrUnavailable = errors.New("auth: the app gives no answer")
)

// decided reports whether the result of an [Authorizer] is a decision.
func decided(err error) bool {
	return err == nil || errors.Is(err, ErrDenied) || errors.Is(err, ErrUnauthorized)
}

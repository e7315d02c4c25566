package session

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// verifyTimeout bounds how long a client waits for the keys of its issuer.
const verifyTimeout = 5 * time.Second

// Authenticate gives an anonymous connection an identity, or renews the one it has. The
// app is asked as in a handshake, or authenticating would be the way around it. accepted
// is called with the new principal before anything that follows from it: subscriptions
// that it may not have end, and in rooms with presence the session becomes another
// member. Errors: UNAUTHORIZED, TOKEN_EXPIRED, FORBIDDEN, LIMIT_EXCEEDED, UNAVAILABLE.
func (s *Session) Authenticate(ctx context.Context, token string, accepted func(*Principal)) *protocol.Error {
	old := s.who()
	next, e := s.identify(ctx, old, token)
	if e != nil {
		return e
	}
	if next, e = s.registry.Authorize(ctx, next); e != nil {
		return e
	}
	if e := s.become(old, next); e != nil {
		return e
	}
	accepted(next)
	s.applyPrincipal(old, next)
	return nil
}

// identify finds out who a token is of. The token is not mentioned anywhere.
func (s *Session) identify(ctx context.Context, p *Principal, token string) (*Principal, *protocol.Error) {
	u := s.registry.rules.Load()
	tokens := u.realms[p.Realm].Tokens
	if tokens == nil {
		return nil, protocol.Errorf(protocol.Unauthorized, "tokens are not taken here")
	}
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	asOf := time.Now()
	id, err := tokens.VerifyFrom(ctx, p.From(), token)
	var next *Principal
	if err == nil {
		next, err = p.As(id, asOf)
	}
	if err != nil {
		u.log.Debug("token refused", "connection", s.conn.ID(), "error", err)
		return nil, TokenError(err)
	}
	return next, nil
}

// TokenError is what a client is told about an error of [auth.Verifier.Verify] or
// [Principal.As]: TOKEN_EXPIRED, UNAVAILABLE, and UNAUTHORIZED without a reason, which
// would help those who try tokens out. Nil stays nil.
func TokenError(err error) *protocol.Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, auth.ErrExpired):
		return protocol.Errorf(protocol.TokenExpired, "the token has expired")
	case errors.Is(err, auth.ErrKeys), errors.Is(err, auth.ErrBusy):
		return retry(protocol.Unavailable, "tokens can not be checked at the moment", time.Second, 10*time.Second)
	}
	return badToken()
}

func badToken() *protocol.Error {
	return protocol.Errorf(protocol.Unauthorized, "the token was not accepted")
}

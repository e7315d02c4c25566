package session

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Charge takes a token of the message rate for a request of the HTTP API before its body
// is read, so that a request which can not be decoded costs its caller as much as one
// that can. The caller that it gives has paid: the command for which it stands takes no
// token of its own. The error is RATE_LIMITED.
func (r *Registry) Charge(c Caller) (Caller, *protocol.Error) {
	e := r.spend(c)
	c.paid = e == nil
	return c, e
}

// Unpaid is the caller that has to pay for what it does next.
func (c Caller) Unpaid() Caller {
	c.paid = false
	return c
}

// spend takes a token of the message rate of a caller without a connection, which
// would otherwise be the way around the rate of connections.
func (r *Registry) spend(c Caller) *protocol.Error {
	if c.App || c.paid {
		return nil
	}
	wait := r.callers.take(callerKey(c), r.rules.Load().limits.Rate, time.Now())
	return rateLimited(wait, "requests")
}

// MayAnywhere decides whether c may do a in any channel at all; nil means that it is worth
// looking at the channels that a request names. The errors are UNAUTHORIZED and FORBIDDEN.
func (r *Registry) MayAnywhere(c Caller, a policy.Action) *protocol.Error {
	if c.App {
		return c.Scope.AllowAnywhere(a)
	}
	return r.rules.Load().policy.AllowAnywhere(a, &c.who().Subject)
}

// MayChange decides whether c may change the document of a channel, if it has one. The
// errors are those of [Registry.May], and FORBIDDEN where there is no document.
func (r *Registry) MayChange(c Caller, channel string) *protocol.Error {
	u := r.rules.Load()
	if e := u.may(c, policy.Change, channel); e != nil {
		return e
	}
	return r.hasDocument(u, channel)
}

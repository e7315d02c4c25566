package session

import (
	"context"
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// CallHandler asks the app what clients call. Errors are those of a [MessageHandler]. Several
// goroutines may call it at once. It bounds how long it takes.
type CallHandler interface {
	// HandleCall returns the result, which is compact and valid JSON. It returns early when ctx
	// ends.
	HandleCall(ctx context.Context, who Client, c protocol.Call) (json.RawMessage, error)
}

// Call asks the app for a caller of the HTTP API. Errors are RATE_LIMITED, FORBIDDEN, what the
// app has rejected the call with, UNAVAILABLE and INTERNAL.
func (r *Registry) Call(ctx context.Context, c Caller, q protocol.Call) (json.RawMessage, *protocol.Error) {
	if e := r.MayCall(c); e != nil {
		return nil, e
	}
	if e := r.Rates.spend(c); e != nil {
		return nil, e
	}
	return r.call(ctx, c, q)
}

// MayCall decides whether a caller may call the app at all. The error is FORBIDDEN.
func (r *Registry) MayCall(c Caller) *protocol.Error {
	switch {
	case c.App:
		return protocol.Errorf(protocol.Forbidden, "calls are for clients, and this request has an API key")
	case r.rules.Load().realms[c.who().Realm].Calls == nil:
		return protocol.Errorf(protocol.Forbidden, "this address takes no calls")
	}
	return nil
}

func (r *Registry) call(ctx context.Context, c Caller, q protocol.Call) (json.RawMessage, *protocol.Error) {
	h := r.rules.Load().realms[c.who().Realm].Calls
	if h == nil { // a reload has changed it
		return nil, protocol.Errorf(protocol.Forbidden, "this address takes no calls")
	}
	result, err := h.HandleCall(ctx, c.client(), q)
	if err != nil {
		return nil, r.rules.unanswered(ctx, "call", q.Method, err)
	}
	return result, nil
}

// maxCalls is how many calls of one connection the app answers while the connection is read
// further. With more, the connection is not read until one of them has its answer.
const maxCalls = 8

// Call asks the app and hands the answer to reply. It does not wait for the answer, because what
// the client sends next should not either. reply may run on another goroutine. Errors are those
// of [Registry.MayCall].
func (s *Session) Call(q protocol.Call, reply func(json.RawMessage, *protocol.Error)) *protocol.Error {
	if e := s.MustAuthenticate(); e != nil {
		return e
	}
	c := s.caller()
	if e := s.registry.MayCall(c); e != nil {
		return e
	}
	if s.calls.Add(1) > maxCalls {
		s.callNow(c, q, reply)
		return nil
	}
	go s.callBeside(c, q, reply)
	return nil
}

// callBeside is callNow on a goroutine of its own, which ends with the call.
func (s *Session) callBeside(c Caller, q protocol.Call, reply func(json.RawMessage, *protocol.Error)) {
	defer guard.Recover(s.registry.rules.Load().log, "a call to the app", func() { s.conn.Close(protocol.ReasonInternal) })
	s.callNow(c, q, reply)
}

func (s *Session) callNow(c Caller, q protocol.Call, reply func(json.RawMessage, *protocol.Error)) {
	defer s.calls.Add(-1)
	reply(s.registry.call(s.ctx, c, q))
}

package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/pace"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Options say for whom a request is served.
type Options struct {
	// Registry must not be nil.
	Registry *session.Registry
	// Caller is the caller of the request. The API trusts it, so it must have been
	// authenticated.
	Caller session.Caller
	// Confirm checks the caller again after the body was read, which may take long. It
	// returns an error if the caller may not go on. Nil means that the caller may.
	Confirm func() *protocol.Error
	// Ready reports whether this node accepts clients. A request for [ReadyPath] needs
	// nothing else.
	Ready func() bool
	// Realm is the path by which clients come in where the request came in; may be empty.
	Realm string
	// Turn says who gets credentials for TURN servers.
	Turn Turn
	// Over is closed when the configuration of the route ends; nil means never. Streams end
	// then, because their API key may not count any more.
	Over <-chan struct{}
}

// ReadyPath is where everybody may ask whether this node accepts clients.
const ReadyPath = "/ready"

// call is one request to the API.
type call struct {
	w http.ResponseWriter
	r *http.Request
	o Options
	// name is the first decoded name in the path: of a channel, a user or a connection.
	// second is the next one: a channel.
	name, second string
	// memory counts what the request holds.
	memory *session.Reservation
}

// Serve answers a request. path is the part of r.URL.EscapedPath() below the API's base. It
// is empty or starts with a slash, and must not be decoded yet. If the path does not belong
// to the API, Serve does nothing and returns false. The caller of Serve decides what pages
// of other origins may do.
func Serve(w http.ResponseWriter, r *http.Request, path string, o Options) (handled bool) {
	segments, ok := split(path)
	if !ok || !ours(segments[0]) {
		return false
	}
	problem.Harden(w.Header())
	c := &call{w: w, r: r, o: o}
	here := at(segments)
	switch route := choose(here, r.Method); {
	case len(here) == 0:
		problem.WriteStatus(w, http.StatusNotFound, "there is nothing at this path")
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", allow(here))
		w.WriteHeader(http.StatusNoContent)
	case route == nil:
		w.Header().Set("Allow", allow(here))
		problem.WriteStatus(w, http.StatusMethodNotAllowed, "this path does not support the method; the header Allow lists those that it supports")
	default:
		c.run(route, segments)
	}
	return true
}

// patience is how long a request waits in all for space in channels that have too much to
// deliver. A connection waits as long as it takes.
const patience = 2 * time.Second

// patient returns the context for what the request does. Its patience starts now.
func (c *call) patient() context.Context { return hub.WithPatience(c.r.Context(), patience) }

func (c *call) run(to *route, segments []string) {
	names, e := to.names(segments)
	if e == nil {
		names = append(names, "", "")
		c.name, c.second = names[0], names[1]
		e = c.handle(to)
	}
	if e != nil {
		c.rejected(e)
		problem.Write(c.w, e)
	}
}

func (c *call) rejected(e *protocol.Error) {
	if c.o.Registry != nil {
		c.o.Registry.Rejected("http", e)
	}
}

// handle reserves memory for what the request holds and calls the route's handler.
func (c *call) handle(to *route) (e *protocol.Error) {
	if c.o.Registry == nil {
		c.memory = new(session.Reservation)
		return to.handle(c)
	}
	c.memory, e = c.o.Registry.Memory.Reserve(c.o.Caller)
	defer c.memory.Release()
	if e != nil {
		return e
	}
	return to.handle(c)
}

// enter charges the caller for a request that changes something, and checks whether the
// caller may make it, before any of the body is read.
func (c *call) enter(may func(session.Caller) *protocol.Error) (e *protocol.Error) {
	if c.o.Caller, e = c.o.Registry.Rates.Charge(c.o.Caller); e != nil {
		return e
	}
	return c.hint(may(c.o.Caller))
}

// keyHint says how the API key of an app is sent. It says nothing about the rules and the keys of the
// site, so everybody may read it.
const keyHint = "no API key came with the request; an app sends its key in the header Authorization, as Bearer and the key"

// hint adds keyHint to a rejection if the request has neither a user nor the header Authorization. A
// developer may have forgotten the key of the app.
func (c *call) hint(e *protocol.Error) *protocol.Error {
	if e == nil || e.Code != protocol.Forbidden && e.Code != protocol.Unauthorized {
		return e
	}
	if c.o.Caller.App || c.o.Caller.User() != "" || c.r.Header.Get("Authorization") != "" {
		return e
	}
	hinted := *e
	hinted.Message += "; " + keyHint
	return &hinted
}

// WriteProblem answers with an error of the protocol, in the API's form.
func WriteProblem(w http.ResponseWriter, e *protocol.Error) { problem.Write(w, e) }

// reply answers with a complete JSON text. The text counts as held until the client has
// taken it.
func (c *call) reply(body []byte) *protocol.Error {
	if e := c.memory.Add(cap(body)); e != nil {
		return e
	}
	c.write(body)
	return nil
}

// buffer returns space for an answer of about n bytes. The space counts before the answer
// is made, so that no answer is made for a caller that then gets an error.
func (c *call) buffer(n int) ([]byte, *protocol.Error) {
	if e := c.memory.Add(n); e != nil {
		return nil, e
	}
	return make([]byte, 0, n), nil
}

// write answers with a complete JSON text; HEAD gets its length alone. The client must take
// it in time.
func (c *call) write(body []byte) {
	h := c.w.Header()
	h.Set("Content-Type", jsonType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	pace.Answer(c.w, len(body))
	c.w.WriteHeader(http.StatusOK) // also to HEAD, or the access log would have no status
	if c.r.Method != http.MethodHead {
		_, _ = pace.Portions(c.w, c.r).Write(body) // the client is gone if this fails
	}
}

// replyValue answers with v as JSON. v must be encodable.
func (c *call) replyValue(v any) *protocol.Error {
	body, err := json.Marshal(v)
	if err != nil {
		return protocol.AsError(err)
	}
	return c.reply(body)
}

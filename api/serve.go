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
	// Caller is who asks. It must be known to be true: the API believes it.
	Caller session.Caller
	// Confirm says whether the caller may still go on when the body has been read,
	// which takes as long as the client likes. Nil: it may.
	Confirm func() *protocol.Error
	// Ready tells whether this node takes clients. It is all that a request for
	// [ReadyPath] needs.
	Ready func() bool
}

// ReadyPath is where everybody may ask whether this node takes clients.
const ReadyPath = "/ready"

// call is a request on its way through the API.
type call struct {
	w http.ResponseWriter
	r *http.Request
	o Options
	// name is what the path names, decoded: a channel, a user or a connection.
	name string
	// memory counts what the request holds.
	memory *session.Reservation
}

// Serve answers a request. path is what of r.URL.EscapedPath() lies below the
// API's base and begins with a slash, or is empty; it must not be decoded yet.
// False means that nothing was done, because the path belongs to somebody else.
// What pages of other origins may do is the business of whoever calls it.
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
		problem.WriteStatus(w, http.StatusMethodNotAllowed, "this path does not know the method; Allow lists those it knows")
	default:
		c.run(route, segments)
	}
	return true
}

// patience is how long a request waits in all for space in channels that have too much
// to deliver. A connection waits as long as it takes.
const patience = 2 * time.Second

// patient is the context of what the request does, from now on.
func (c *call) patient() context.Context { return hub.WithPatience(c.r.Context(), patience) }

func (c *call) run(to *route, segments []string) {
	name, e := to.name(segments)
	if e == nil {
		c.name = name
		e = c.handle(to)
	}
	if e != nil {
		problem.Write(c.w, e)
	}
}

// handle counts what the request holds until it is answered.
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

// enter charges the caller for a request that changes something, and decides whether
// it may be made, before anything of its body is read.
func (c *call) enter(may func(session.Caller) *protocol.Error) (e *protocol.Error) {
	if c.o.Caller, e = c.o.Registry.Rates.Charge(c.o.Caller); e != nil {
		return e
	}
	return may(c.o.Caller)
}

// WriteProblem answers with an error of the protocol, in the API's form.
func WriteProblem(w http.ResponseWriter, e *protocol.Error) { problem.Write(w, e) }

// reply answers with a finished JSON text, which counts as held until the client has
// taken it.
func (c *call) reply(body []byte) *protocol.Error {
	if e := c.memory.Add(cap(body)); e != nil {
		return e
	}
	c.write(body)
	return nil
}

// buffer gives room for an answer of about n bytes. It counts before the answer is made:
// that of a caller who is refused is not made for nothing.
func (c *call) buffer(n int) ([]byte, *protocol.Error) {
	if e := c.memory.Add(n); e != nil {
		return nil, e
	}
	return make([]byte, 0, n), nil
}

// write answers with a finished JSON text, HEAD with its length alone. The client has to
// take it in time.
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

// replyValue answers with the JSON text of v, which must have one.
func (c *call) replyValue(v any) *protocol.Error {
	body, err := json.Marshal(v)
	if err != nil {
		return protocol.AsError(err)
	}
	return c.reply(body)
}

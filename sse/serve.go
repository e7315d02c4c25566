package sse

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Options say for whom a stream is served, and how.
type Options struct {
	// Registry opens the session. Whoever calls Serve has asked its Admit.
	Registry *session.Registry
	// Principal is the client. It must not share the memory of the request, if that is
	// to be freed.
	Principal *session.Principal
	// Hijack reports whether the connection may be taken over, which is the case
	// when nothing around the writer changes what is written. Nil means never. It
	// is asked over HTTP/1 only.
	Hijack func(http.ResponseWriter) bool
	// KeepStream lifts the bounds that the server sets on the time of a request and
	// its answer, before the answer begins. What it returns is not used. May be nil.
	KeepStream func(http.ResponseWriter, *http.Request) io.Reader
	// Conn gives the connection below a request, for the UserTimeout of streams that
	// live in the handler; nil where it does not know. It may be nil.
	Conn func(*http.Request) net.Conn
	// UserTimeout is how long data may stay unacknowledged before the connection is
	// ended (Linux only); 0 leaves it to the kernel.
	UserTimeout time.Duration
	// Tokens are the names of query parameters that bring tokens.
	Tokens []string
	// Stuck is told that a stream in its handler was ended in the middle of a write,
	// because its client takes nothing. The handler returns all the same; over
	// HTTP/2 the connection, which others may share, may stay stuck. It must not
	// block, and may be nil.
	Stuck func(*http.Request)
	// Logger gets refused streams, at debug level; nil means none.
	Logger *slog.Logger
}

// Serve answers r with an event stream or a refusal. When the connection could be
// taken over it returns at once, else when the stream is over. An error means that
// the client could not be answered properly; the stream is over then.
func Serve(w http.ResponseWriter, r *http.Request, o Options) error {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		problem.WriteStatus(w, http.StatusMethodNotAllowed, "event streams are read with GET")
		return nil
	}
	q, e := parse(r, o.Tokens)
	if e == nil {
		e = admit(o, &q)
	}
	if e != nil {
		o.refuse(w, r, e)
		return nil
	}
	st := &start{w: w, framing: newFraming(w, r, o), request: &q}
	if e := st.open(r.Context(), o); e != nil {
		return st.fail(r, o, e)
	}
	if err := st.begin(); err != nil {
		return err
	}
	st.framing.run(r.Context(), st.session.Conn())
	return nil
}

// admit checks what can be known before anything is set up. The number of channels
// comes first: each subscription costs the rooms, and with several nodes the store, a
// write that a refusal would not take back.
//
// A status would end an EventSource for ever. One that was here before may have had the
// channel, and may have it again after the next reload: it is served what it may have,
// told what it may not have, and asked back if nothing is left.
func admit(o Options, q *request) *protocol.Error {
	if e := o.Registry.MayHaveChannels(len(q.channels)); e != nil {
		return e
	}
	var may []channel
	for _, c := range q.channels {
		e := q.allowed(o, c.name)
		switch {
		case e == nil:
			may = append(may, c)
		case !q.returning:
			return e
		default:
			q.refused = append(q.refused, refused{c.name, e})
		}
	}
	if q.channels = may; len(may) == 0 {
		later := *q.refused[0].e
		later.RetryAfter = hopeless
		return &later
	}
	return nil
}

// hopeless is when a client comes back that may have none of its channels.
const hopeless = 30 * time.Second

// allowed says why a client may not have a channel as it wants it.
func (q *request) allowed(o Options, channel string) *protocol.Error {
	caller := session.Caller{Principal: o.Principal}
	e := o.Registry.May(caller, policy.Subscribe, channel)
	if e == nil && q.history > 0 {
		e = o.Registry.May(caller, policy.History, channel)
	}
	return e
}

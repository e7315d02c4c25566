package sse

import (
	"io"
	"net"
	"net/http"
	"time"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Options are what [Serve] needs beside the request.
type Options struct {
	// Registry opens the session. The caller of Serve has called its Admission.Admit.
	Registry *session.Registry
	// Principal is the client; nil is an anonymous one without an address. It must not share
	// the memory of the request, which it outlives.
	Principal *session.Principal
	// Hijack reports whether the connection may be hijacked: no writer around the server's
	// own changes what is written. Nil means never. It is called over HTTP/1 only.
	Hijack func(http.ResponseWriter) bool
	// KeepStream removes the server's bounds on the time of a request and of its answer,
	// before the answer starts. Its result is not used. May be nil.
	KeepStream func(http.ResponseWriter, *http.Request) io.Reader
	// Conn returns the connection of a request without the wrappers of the server that pass
	// everything on; nil if it is unknown. Conn may be nil.
	Conn func(*http.Request) net.Conn
	// UserTimeout is how long data may stay unacknowledged before the connection is closed
	// (Linux only); 0 means the kernel's default.
	UserTimeout time.Duration
	// Tokens are the names of query parameters that hold tokens.
	Tokens []string
	// Stuck is called when a stream inside the handler was aborted during a write, because
	// its client does not read. The handler returns all the same. Over HTTP/2 the connection,
	// which other streams may share, may stay stuck. Stuck must not block, and may be nil.
	Stuck func(*http.Request)
	// Rejected is called with the error of a stream that is rejected, and with the channel that the
	// error is about; empty for none. May be nil.
	Rejected func(channel string, e *protocol.Error)
}

// Serve answers r with an event stream or an error. With a hijacked connection it returns at
// once, otherwise when the stream is over. An error means that the client could not be answered
// properly; the stream is over then.
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
		o.reject(w, r, q.rejects, e)
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

// admit checks the request before a session is opened. The number of channels comes first,
// because each subscription costs the room work, and with several nodes the store a write.
//
// A status would stop an EventSource for ever. One that was connected before may have had a
// denied channel, and may have it again after the next reload. So it gets the channels that it
// may have and an `unsubscribed` for each of the others. If no channel is left, it is asked to
// reconnect later.
func admit(o Options, q *request) *protocol.Error {
	if e := o.Registry.MayHaveChannels(len(q.channels)); e != nil {
		return e
	}
	if e := session.CheckFilter(q.filter); e != nil {
		return e
	}
	var may []channel
	for _, c := range q.channels {
		e := q.allowed(o, c.name)
		switch {
		case e == nil:
			may = append(may, c)
		case !q.returning:
			q.rejects = c.name
			return e
		default:
			q.denied = append(q.denied, denied{c.name, e})
		}
	}
	if q.channels = may; len(may) == 0 {
		q.rejects = q.denied[0].name
		later := *q.denied[0].e
		later.RetryAfter = hopeless
		return &later
	}
	return nil
}

// hopeless is how long a client waits that may have none of its channels.
const hopeless = 30 * time.Second

// allowed returns an error if the client may not have a channel with this history.
func (q *request) allowed(o Options, channel string) *protocol.Error {
	caller := session.Caller{Principal: o.Principal}
	e := o.Registry.MaySubscribe(caller, channel)
	if e == nil && q.history > 0 && !protocol.IsPattern(channel) {
		e = o.Registry.May(caller, policy.History, channel)
	}
	return e
}

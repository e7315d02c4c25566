package sse

import (
	"context"
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// start is a stream that has not started yet. The handler's goroutine owns it.
type start struct {
	w       http.ResponseWriter
	framing framing
	request *request

	session *session.Session // nil before open
	begun   bool
	err     error // why it could not start
}

// open opens a session and subscribes it. Meanwhile the hub's writes wait at the framing's gate,
// so that the request can still be answered with a status.
func (t *start) open(ctx context.Context, o Options) (e *protocol.Error) {
	q := t.request
	q.locate(o.Registry.Hub())
	own := q.newStamps()
	t.session, e = o.Registry.Open(o.Principal, session.Options{
		Transport: stamped(t.framing, own),
		Encoder:   Encoder{Content: q.content, Stamped: q.several()},
		Name:      "sse",
		Fixed:     true,
	})
	if e != nil {
		return e
	}
	for _, c := range q.denied {
		t.session.Deny(c.name, c.e)
	}
	return q.subscribe(ctx, t.session, own, func() { _ = t.begin() })
}

// begin answers the request, if that was not done. If it fails, or a writer panics, no write
// keeps waiting at the gate. It is called before all subscriptions are made if the replay of
// the first ones does not fit into the connection's queue.
func (t *start) begin() error {
	if t.begun || t.err != nil {
		return t.err
	}
	t.err = http.ErrAbortHandler // the error if a writer panics
	defer func() {
		if t.err != nil {
			t.framing.cancel()
			t.session.Conn().Close(hub.ReasonLost)
		}
	}()
	t.err = t.framing.begin(t.w, t.request.prologue())
	t.begun = t.err == nil
	return t.err
}

// fail answers a request whose stream could not be opened: with a status, or with the reason on
// the stream if that has already started.
func (t *start) fail(r *http.Request, o Options, e *protocol.Error) error {
	switch {
	case t.err != nil:
		return t.err
	case t.begun:
		t.session.Conn().Close(hub.Reason{Code: protocol.ReasonTryLater.Code, Text: e.Message})
		t.framing.run(r.Context(), t.session.Conn())
		return nil
	case t.session != nil:
		t.session.Conn().Close(hub.ReasonLost)
	}
	t.framing.cancel()
	o.reject(t.w, r, t.request.rejects, e)
	return nil
}

package access

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/askapp"
	"github.com/caddy-realtime/caddy-realtime/internal/tally"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// waitingFor is how many requests to the app may wait for each one that is under way. They hold
// what clients have sent.
const waitingFor = 16

// handler asks the app about what clients send, with a bound on how many requests there are at
// once. Like an authorizer it belongs to one configuration.
type handler struct {
	// Static.
	app     *askapp.App
	turns   auth.Turns
	timeout time.Duration
}

// newHandler returns what asks the routes of a block. base is the path of the route, name the
// last segment of the requests' path, value what clients choose beside the user.
func newHandler(ctx caddy.Context, option, base, name, value string, c config.Handling, calls *tally.Calls) (handler, error) {
	app, err := askapp.New(ctx, askapp.Options{
		Option: option, Calls: calls, Base: base, Name: name, Routes: c.Routes,
		Chosen: []string{value, "user"}, MaxAnswer: c.MaxAnswer, Unanswered: http.StatusNotImplemented,
	})
	return handler{app, auth.NewTurns(c.Concurrency, waitingFor*c.Concurrency), c.Timeout}, err
}

var errBusy = errors.New("realtime: too many requests to the app are under way")

// ask sends body to the app and returns its answer if that has a status of 2xx. The wait for a
// turn ends with ctx. If whole is set the request does not: the app may already have done what it
// is asked for. The turn ends with the routes, which may go on after the timeout.
func (h *handler) ask(ctx context.Context, who session.Client, values map[string]string, body any, whole bool) (askapp.Answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return askapp.Answer{}, err
	}
	return h.post(ctx, who, values, http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"}}, text, whole)
}

// post is ask with a body and headers of any kind. An Authorization among them takes the place of that
// of the handshake.
func (h *handler) post(ctx context.Context, who session.Client, values map[string]string, header http.Header, body []byte, whole bool) (askapp.Answer, error) {
	client, err := askapp.Decode(who.Handshake)
	if err != nil {
		return askapp.Answer{}, fmt.Errorf("realtime: the client was accepted by another configuration: %w", err)
	}
	if own := header.Values("Authorization"); len(own) > 0 {
		client.Authorization = own
	}
	deadline := time.Now().Add(h.timeout)
	waiting, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if !h.turns.Take(waiting, who.From) {
		return askapp.Answer{}, cmp.Or(ctx.Err(), errBusy)
	}
	if whole {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel = context.WithDeadline(ctx, deadline)
	defer cancel()
	values["user"] = who.User
	a, err := h.app.Ask(ctx, askapp.Request{
		Method: http.MethodPost, Body: body, Client: client, Values: values, Header: header,
		Done: func() { h.turns.Give(who.From) },
	})
	if errors.Is(err, askapp.ErrPath) {
		return a, protocol.Errorf(protocol.Forbidden, "the app can not be asked about such a name")
	}
	if err != nil {
		return a, err
	}
	return a, judge(&a)
}

// judge returns what a status other than 2xx means.
func judge(a *askapp.Answer) error {
	switch a.Status / 100 {
	case 2:
		return nil
	case 3:
		return fmt.Errorf("%w: it redirects, with the status %d", session.ErrAnswer, a.Status)
	case 4:
		return rejection(a)
	}
	return fmt.Errorf("realtime: the app answers %d: %w", a.Status, cmp.Or(a.Err, errFailed))
}

// rejection is the error with which the app rejects what the client has sent: the code and the
// detail of its problem document (RFC 9457), or FORBIDDEN.
func rejection(a *askapp.Answer) *protocol.Error {
	e := protocol.Errorf(protocol.Forbidden, "the app does not allow it")
	e.FromApp = true
	var said struct{ Code, Detail string }
	if kind := a.MediaType(); kind != "application/problem+json" && kind != "application/json" ||
		a.Long || auth.CheckJSON(a.Body) != nil || json.Unmarshal(a.Body, &said) != nil {
		return e
	}
	if isCode(said.Code) {
		e.Code, e.HTTPStatus = protocol.Code(said.Code), a.Status
	}
	if said.Detail != "" && len(said.Detail) <= maxDetail {
		e.Message = said.Detail
	}
	return e
}

// What a code of the app and a text beside it may have, in bytes.
const (
	maxCode   = 64
	maxDetail = 1024
)

// isCode reports whether a text has the form of an error code: upper-case words with _ between
// them.
func isCode(code string) bool {
	for i := range len(code) {
		c := code[i]
		if !('A' <= c && c <= 'Z' || i > 0 && (c == '_' || '0' <= c && c <= '9')) {
			return false
		}
	}
	return code != "" && len(code) <= maxCode
}

// jsonBody returns the body of an answer, which must be JSON; nil if there is none.
func jsonBody(a *askapp.Answer) (json.RawMessage, error) {
	switch {
	case a.Long:
		return nil, fmt.Errorf("%w: it is longer than max_answer", session.ErrAnswer)
	case len(a.Body) == 0:
		return nil, nil
	case !a.JSON():
		return nil, fmt.Errorf("%w: its Content-Type is %q, not application/json", session.ErrAnswer, a.Header.Get("Content-Type"))
	}
	text, e := protocol.DecodeContent(a.Body)
	if e != nil {
		return nil, fmt.Errorf("%w: %s", session.ErrAnswer, e.Message)
	}
	return text, nil
}

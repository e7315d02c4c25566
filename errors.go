package realtime

import (
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// refuse answers a request that is turned away before anything was done for it.
// Where the site has error routes (`handle_errors`) that match, they answer;
// otherwise the answer is a problem document, because Caddy's own would be empty.
// The HTTP API's errors never come here: they are answers to a program.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, e *protocol.Error) error {
	h.log.Debug("request refused", "code", e.Code, "reason", e.Message, "origin", r.Header.Get("Origin"))
	err := caddyhttp.Error(e.Status(), e)
	if !handlesErrors(r, err) {
		problem.Write(w, e)
		return nil
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	return err
}

// refuseStatus is refuse for what the protocol has no code for.
func (h *Handler) refuseStatus(w http.ResponseWriter, r *http.Request, status int, detail string) error {
	err := caddyhttp.Error(status, errors.New(detail))
	if !handlesErrors(r, err) {
		problem.WriteStatus(w, status, detail)
		return nil
	}
	return err
}

// handlesErrors reports whether the server has an error route for the request. All
// sites of a listener share the server's routes, so that their matchers decide.
func handlesErrors(r *http.Request, err error) bool {
	srv, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok || srv == nil || srv.Errors == nil {
		return false
	}
	r = srv.Errors.WithError(r, err) // sets the placeholders that matchers look at
	for _, route := range srv.Errors.Routes {
		if match, err := route.MatcherSets.AnyMatchWithError(r); match && err == nil {
			return true
		}
	}
	return false
}

package realtime

import (
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/internal/caddyhost"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// refuse answers a request that is turned away before anything was done for it.
// Where the site has error routes (`handle_errors`) that match, they answer;
// otherwise the answer is a problem document, because Caddy's own would be empty.
// The HTTP API's errors never come here: they are answers to a program.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, e *protocol.Error) error {
	h.log.Debug("request refused", "code", e.Code, "reason", e.Message, "origin", r.Header.Get("Origin"))
	err := caddyhttp.Error(e.Status(), e)
	if !caddyhost.HandlesErrors(r, err) {
		problem.Write(w, e)
		return nil
	}
	problem.SetRetryAfter(w.Header(), e)
	return err
}

// refuseStatus is refuse for what the protocol has no code for.
func (h *Handler) refuseStatus(w http.ResponseWriter, r *http.Request, status int, detail string) error {
	err := caddyhttp.Error(status, errors.New(detail))
	if !caddyhost.HandlesErrors(r, err) {
		problem.WriteStatus(w, status, detail)
		return nil
	}
	return err
}

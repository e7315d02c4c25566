package access

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
)

// authorizer asks routes of the configuration. It belongs to one configuration,
// which it refers to, and is therefore held by the realm and not by connections.
type authorizer struct {
	// Static.
	path   string
	chain  caddyhttp.Handler
	server *caddyhttp.Server // for named routes
	chosen chosen            // where the routes use what clients choose
	log    *slog.Logger

	// warned is when an unusual refusal was logged last, in nanoseconds since 1970.
	warned atomic.Int64
}

// newAuthorizer returns what asks the routes of c, behind a guard. path is that of the
// route.
func newAuthorizer(ctx caddy.Context, path string, c *config.Authorize) (auth.Authorizer, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	routes, uses, err := guardPaths(c.Routes)
	if err != nil {
		return nil, err
	}
	if err = routes.Provision(ctx); err != nil {
		return nil, err
	}
	server, _ := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	a := &authorizer{
		path: path, chain: routes.Compile(caddyhttp.HandlerFunc(unanswered)), server: server, chosen: uses,
		log: ctx.Slogger(),
	}
	return auth.NewGuard(a, auth.GuardOptions{Timeout: time.Duration(c.Timeout), Remember: time.Duration(c.Cache)}), nil
}

// Authorize runs the routes with a request of its own. Whatever is not an answer is
// an error that is no decision.
func (a *authorizer) Authorize(ctx context.Context, q auth.Question) (answer auth.Answer, err error) {
	defer func() {
		if v := recover(); v != nil {
			answer, err = auth.Answer{}, brokenOff(ctx, v)
		}
	}()
	if !a.chosen.allow(q) {
		return auth.Answer{}, auth.ErrDenied
	}
	w := &recorder{header: make(http.Header)}
	r, err := a.request(ctx, w, q)
	if err != nil {
		return auth.Answer{}, err
	}
	err = a.chain.ServeHTTP(w, r)
	if ctx.Err() != nil { // first, because a proxy makes a status of it
		return auth.Answer{}, ctx.Err()
	}
	switch status := w.outcome(err); {
	case status/100 == 2:
		return w.answer()
	case status == http.StatusUnauthorized:
		return auth.Answer{}, auth.ErrUnauthorized
	case status/100 == 5:
		return auth.Answer{}, fmt.Errorf("realtime: 'authorize' answers %d: %w", status, cmp.Or(err, errFailed))
	default:
		a.refused(q, status)
	}
	return auth.Answer{}, auth.ErrDenied
}

// refused logs what the app has answered. 403 is what an app says that has decided; other
// statuses, such as 404, may come from a wrong path or root.
func (a *authorizer) refused(q auth.Question, status int) {
	answer := []any{"status", status, "action", q.Action.String(), "channel", q.Channel, "route", a.path}
	if status == http.StatusForbidden {
		a.log.Debug("'authorize' refuses", answer...)
		return
	}
	now, last := time.Now().UnixNano(), a.warned.Load()
	if now-last >= int64(oddInterval) && a.warned.CompareAndSwap(last, now) {
		a.log.Warn("'authorize' refuses with an unusual status; is the app found?", answer...)
	}
}

// oddInterval is between two lines in the log about unusual refusals.
const oddInterval = 10 * time.Second

// brokenOff is what a panic of the routes means. Proxies panic to end a request whose
// answer they can not pass on whole, be it because nobody waits for it any more.
func brokenOff(ctx context.Context, v any) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case v == http.ErrAbortHandler:
		return errors.New("realtime: the answer to 'authorize' ended too early")
	}
	return fmt.Errorf("realtime: the routes of 'authorize' panicked: %v", v)
}

var errFailed = errors.New("the app failed")

// unanswered stands behind the last route.
func unanswered(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusForbidden)
	return nil
}

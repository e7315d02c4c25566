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

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/askapp"
	"github.com/caddy-realtime/caddy-realtime/internal/tally"
)

// authorizer asks the app what clients may do. It belongs to one configuration, which it
// refers to, and is therefore held by the realm and not by connections.
type authorizer struct {
	// Static.
	path string // of the route
	app  *askapp.App
	log  *slog.Logger

	// warned is when an unusual refusal was logged last, in nanoseconds since 1970.
	warned atomic.Int64
}

// newAuthorizer returns what asks the routes of c, behind a guard. path is that of the
// route.
func newAuthorizer(ctx caddy.Context, path string, c *config.Authorize, calls *tally.Calls) (auth.Authorizer, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	o := authorizeOptions(path)
	o.Calls = calls
	o.Routes = c.Routes
	app, err := askapp.New(ctx, o)
	if err != nil {
		return nil, err
	}
	a := &authorizer{path: path, app: app, log: ctx.Slogger()}
	return auth.NewGuard(a, auth.GuardOptions{Timeout: time.Duration(c.Timeout), Remember: time.Duration(c.Cache)}), nil
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// authorizeOptions are those of the app without its routes.
func authorizeOptions(path string) askapp.Options {
	return askapp.Options{
		Option: "authorize", Base: path, Name: "authorize", Chosen: []string{"channel", "user"},
		MaxAnswer: maxAnswer, Unanswered: http.StatusForbidden,
	}
}

// Authorize asks the app. Whatever is not an answer is an error that is no decision.
func (a *authorizer) Authorize(ctx context.Context, q auth.Question) (auth.Answer, error) {
	r, err := question(q)
	if err != nil {
		return auth.Answer{}, err
	}
	said, err := a.app.Ask(ctx, r)
	switch {
	case errors.Is(err, askapp.ErrPath):
		return auth.Answer{}, auth.ErrDenied
	case err != nil:
		return auth.Answer{}, err
	case said.Status/100 == 2:
		return answer(&said)
	case said.Status == http.StatusUnauthorized:
		return auth.Answer{}, fmt.Errorf("%w: 'authorize' answered %d", auth.ErrUnauthorized, said.Status)
	case said.Status/100 == 5:
		return auth.Answer{}, fmt.Errorf("realtime: 'authorize' answers %d: %w", said.Status, cmp.Or(said.Err, errFailed))
	}
	a.refused(q, said.Status)
	return auth.Answer{}, fmt.Errorf("%w: 'authorize' answered %d", auth.ErrDenied, said.Status)
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

var errFailed = errors.New("the app failed")

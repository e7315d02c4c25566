package askapp

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/internal/tally"
	"github.com/caddy-realtime/caddy-realtime/internal/tracing"
)

// Options are what an [App] is made of.
type Options struct {
	// Option is the name of the block, for errors: `authorize`.
	Option string
	// Base is the path of the route, and Name the last segment of the path of the requests:
	// `/realtime` and `authorize`.
	Base, Name string
	// Routes answer. They are not provisioned yet.
	Routes caddyhttp.RouteList
	// Chosen are the names of the values of a [Request] that clients choose.
	Chosen []string
	// MaxAnswer is the greatest number of bytes that are read of an answer.
	MaxAnswer int
	// Calls counts the requests; may be nil.
	Calls *tally.Calls
	// Unanswered is the status if no route answers.
	Unanswered int
}

// App asks the routes of one block. It belongs to one configuration and refers to it, so
// that nothing that outlives the configuration may hold it. It does not bound how many requests
// there are at once, only how many go on after their time. Several goroutines may use it.
type App struct {
	// Static.
	options Options
	chain   caddyhttp.Handler
	server  *caddyhttp.Server // for named routes
	chosen  chosen            // where the routes use what clients choose

	late atomic.Int32 // requests that go on after the end of their context
}

// New provisions the routes of a block.
func New(ctx caddy.Context, o Options) (*App, error) {
	if len(o.Routes) == 0 {
		return nil, errors.New("there are no routes that could answer")
	}
	routes, uses, err := guardPaths(o.Routes, o.Chosen)
	if err != nil {
		return nil, err
	}
	if err = routes.Provision(ctx); err != nil {
		return nil, err
	}
	o.Routes = nil
	server, _ := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	a := &App{options: o, server: server, chosen: uses}
	a.chain = routes.Compile(caddyhttp.HandlerFunc(a.unanswered))
	return a, nil
}

// For returns an App whose routes are one handler, for tests.
func For(o Options, f func(http.ResponseWriter, *http.Request) error) *App {
	return &App{options: o, chain: caddyhttp.HandlerFunc(f), server: new(caddyhttp.Server)}
}

// ErrPath means that a value of the request can not be asked about: in a path it would be
// more than one segment, so that another question would be asked. Nothing was asked.
var ErrPath = errors.New("realtime: a value can not stand in the path of a request to the app")

// Ask runs the routes with a request and returns the answer, whatever its status is. An
// error means that there is no answer: [ErrPath], the error of ctx when ctx has ended, or
// another one if the app has failed. Ask returns when ctx ends, also if a route does not.
func (a *App) Ask(ctx context.Context, q Request) (answer Answer, err error) {
	ctx, end := tracing.Start(ctx, "realtime."+a.options.Name, q.Values["channel"])
	defer func() { end(err) }()
	defer a.count(time.Now(), &answer, &err)
	w := &recorder{header: make(http.Header), most: a.options.MaxAnswer}
	r, err := a.prepare(ctx, w, q)
	if err != nil {
		q.done()
		return Answer{}, err
	}
	return a.run(ctx, w, r, q.done)
}

// prepare returns q as a request for the routes, unless they get none.
func (a *App) prepare(ctx context.Context, w *recorder, q Request) (*http.Request, error) {
	switch {
	case !a.chosen.allow(q.Values):
		return nil, ErrPath
	case a.late.Load() >= maxLate:
		return nil, errLate
	}
	return a.request(ctx, w, q)
}

// count counts a request that began at a time.
func (a *App) count(began time.Time, answer *Answer, err *error) {
	if errors.Is(*err, ErrPath) {
		return // nothing was asked
	}
	a.options.Calls.Count(outcome(answer.Status, *err), time.Since(began))
}

// outcome is the word for what came of a request: the class of the status, or why there is none.
func outcome(status int, err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled" // the client is gone
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case err != nil, status < 100, status > 599:
		return "failed"
	}
	return strconv.Itoa(status/100) + "xx"
}

// unanswered stands behind the last route.
func (a *App) unanswered(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(a.options.Unanswered)
	return nil
}

// path is the path of the requests.
func (a *App) path() string { return strings.TrimSuffix(a.options.Base, "/") + "/" + a.options.Name }

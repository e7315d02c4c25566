package askapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// maxLate bounds the requests of one App that go on although their context has ended. Above it
// the routes get no more requests.
const maxLate = 64

var errLate = errors.New("realtime: too many requests to the app go on after their time is over")

// ran is what came of a request.
type ran struct {
	answer Answer
	err    error
}

// running is a request whose routes run.
type running struct {
	done  chan ran    // takes the one result
	over  atomic.Bool // run or serve has called end
	free  func()      // called by serve when the routes have returned
	cause any         // of a panic; owned by serve
}

// run runs the routes with a request until they return or ctx ends. Some routes do not end with
// ctx: the transport of `php_fastcgi` waits for a silent php-fpm without a limit of its own.
func (a *App) run(ctx context.Context, w *recorder, r *http.Request, done func()) (Answer, error) {
	now := &running{done: make(chan ran, 1), free: done}
	go a.serve(w, r, now)
	select {
	case said := <-now.done:
		if ctx.Err() != nil { // first, because a proxy makes a status of it
			return Answer{}, ctx.Err()
		}
		return said.answer, said.err
	case <-ctx.Done():
		a.late.Add(1)
		a.end(now)
		return Answer{}, ctx.Err()
	}
}

// end stops counting a request as late when both sides have called it: run, which waits no
// longer, and serve, whose routes have returned.
func (a *App) end(now *running) {
	if now.over.Swap(true) {
		a.late.Add(-1)
	}
}

// serve runs the routes on a goroutine of its own, which ends with the routes. It owns w until
// it has sent to done.
func (a *App) serve(w *recorder, r *http.Request, now *running) {
	defer guard.Recover(nil, "a request to the app", func() {
		now.done <- ran{err: fmt.Errorf("realtime: the routes of '%s' panicked: %v", a.options.Option, now.cause)}
	})
	defer a.end(now)
	defer now.free()
	now.done <- a.ran(w, r, now)
}

// ran runs the routes. Proxies panic to end a request whose answer they can not pass on whole:
// nobody waits for it any more, or it was too long. Another panic goes on, with its value in now.cause.
func (a *App) ran(w *recorder, r *http.Request, now *running) (said ran) {
	defer func() {
		switch v := recover(); {
		case v == nil:
		case v != http.ErrAbortHandler:
			now.cause = v
			panic(v)
		case w.long:
			said = ran{answer: w.answer(nil)}
		default:
			said = ran{err: fmt.Errorf("realtime: the answer to '%s' ended too early", a.options.Option)}
		}
	}()
	err := a.chain.ServeHTTP(w, r)
	return ran{answer: w.answer(err)}
}

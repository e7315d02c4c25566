package askapp

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A route that does not end with its context, as with a php-fpm that is silent, holds nobody up.
// While too many of them go on, the routes get no more requests; afterwards they do.
func TestRouteThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	silent, ended := make(chan struct{}), new(atomic.Int32)
	a := For(Options{Option: "handle_message", Base: "/rt", Name: "message"}, func(w http.ResponseWriter, _ *http.Request) error {
		<-silent
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
	for range maxLate {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		_, err := a.Ask(ctx, Request{Done: func() { ended.Add(1) }})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	for a.late.Load() < maxLate {
		time.Sleep(time.Millisecond)
	}
	if _, err := a.Ask(t.Context(), Request{}); !errors.Is(err, errLate) {
		t.Error(err)
	}
	if n := ended.Load(); n != 0 {
		t.Error(n, "requests are said to be done, but their routes go on")
	}
	close(silent)
	for a.late.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
	if n := ended.Load(); n != maxLate {
		t.Error(n, "requests are done")
	}
	if said, err := a.Ask(t.Context(), Request{}); err != nil || said.Status != http.StatusNoContent {
		t.Error(said, err)
	}
}

// A panic of a route is the failure of its request. The log has the panic and its stack.
func TestPanicInARequestToTheApp(t *testing.T) {
	t.Parallel()
	_, err := ask(t.Context(), Request{}, func(http.ResponseWriter, *http.Request) error { panic("no route") })
	if err == nil || !strings.Contains(err.Error(), "'notify' panicked: no route") {
		t.Error(err)
	}
}

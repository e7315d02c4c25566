package notify_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

// A request that panics counts as one that failed.
func TestPanicInARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(_ context.Context, n int) (int, error) {
			if n == 0 {
				panic("the routes panic")
			}
			return 200, nil
		})
		w.apply(w.sink)
		w.record("room", 1)
		time.Sleep(time.Minute)
		if got := w.app.got(); len(got) != 2 || got[1].body != got[0].body {
			t.Errorf("after a panic the app got %+v", got)
		}
	})
}

// A sender whose queue panics goes on.
func TestPanicInADelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, ok)
		service := notify.New(panics{w.box, new(atomic.Int32)}, notify.Options{})
		defer service.Close()
		service.Apply([]notify.Sink{w.sink}, notify.Bounds{}, discard)
		w.record("room", 1)
		time.Sleep(time.Minute)
		if got := w.app.took(); len(got) != 1 {
			t.Errorf("after a panic the app got %+v", got)
		}
	})
}

// panics is an outbox whose queue panics once.
type panics struct {
	notify.Outbox
	calls *atomic.Int32
}

func (p panics) Queues() []notify.Queue {
	return []notify.Queue{panicQueue{p.Outbox.Queues()[0], p.calls}}
}

type panicQueue struct {
	notify.Queue
	calls *atomic.Int32
}

func (q panicQueue) Next(ctx context.Context, sink string, fence uint64, events, bytes int) (notify.Batch, error) {
	if q.calls.Add(1) == 1 {
		panic("no luck")
	}
	return q.Queue.Next(ctx, sink, fence, events, bytes)
}

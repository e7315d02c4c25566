package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
	"github.com/caddy-realtime/caddy-realtime/notify"
)

func TestMain(m *testing.M) { leak.Main(m) }

// request is what an app got.
type request struct {
	id, timestamp, signature string
	body                     string
	events                   []notify.Event
}

// app is the app of a test. answer decides what becomes of the n-th request, from 0 on.
type app struct {
	t      *testing.T
	answer func(ctx context.Context, n int) (int, error)

	mu       sync.Mutex
	requests []request
	accepted []notify.Event
}

func (a *app) post(ctx context.Context, h http.Header, body []byte) (int, error) {
	r := request{id: h.Get("webhook-id"), timestamp: h.Get("webhook-timestamp"), signature: h.Get("webhook-signature"), body: string(body)}
	var parsed struct {
		Type      string
		Timestamp time.Time
		Data      struct{ Events []notify.Event }
	}
	if err := json.Unmarshal(body, &parsed); err != nil || parsed.Type != "realtime.events" || parsed.Timestamp.IsZero() {
		a.t.Errorf("the body is %s (%v)", body, err)
	}
	r.events = parsed.Data.Events
	a.mu.Lock()
	n := len(a.requests)
	a.requests = append(a.requests, r)
	a.mu.Unlock()
	status, err := a.answer(ctx, n)
	if err == nil && status/100 == 2 {
		a.mu.Lock()
		a.accepted = append(a.accepted, r.events...)
		a.mu.Unlock()
	}
	return status, err
}

// got returns the requests so far.
func (a *app) got() []request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]request(nil), a.requests...)
}

// took returns the events that the app accepted.
func (a *app) took() []notify.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]notify.Event(nil), a.accepted...)
}

func ok(context.Context, int) (int, error) { return 204, nil }

var errCutOff = errors.New("the connection was cut off")

// world is an outbox with a service.
type world struct {
	*testing.T
	box     *memory.Outbox
	service *notify.Service
	sink    notify.Sink
	app     *app
}

const secretText = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

func start(t *testing.T, answer func(ctx context.Context, n int) (int, error)) *world {
	t.Helper()
	secret, err := notify.ParseSecret(secretText)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, box: memory.NewOutbox(), app: &app{t: t, answer: answer}}
	w.sink = notify.Sink{
		Name: "notify", Choice: notify.NewChoice(notify.Types, nil), Sign: notify.SignWith(secret), Post: w.app.post,
	}
	w.service = notify.New(w.box, notify.Options{})
	t.Cleanup(func() { _ = w.service.Close() })
	return w
}

func (w *world) apply(sinks ...notify.Sink) {
	w.service.Apply(sinks, notify.Bounds{}, discard)
}

// record records n events of one room.
func (w *world) record(room string, n int) {
	for i := range n {
		if i%2 == 0 {
			w.box.Occupy(room)
		} else {
			w.box.Vacate(room)
		}
	}
}

// inOrder fails unless the first deliveries of all events are in order, and returns how many
// different events there are.
func (w *world) inOrder(requests []request) int {
	w.Helper()
	seen, last := make(map[string]uint64), uint64(0)
	for _, r := range requests {
		for _, e := range r.events {
			if seq, again := seen[e.ID]; again {
				if seq != e.Seq {
					w.Errorf("the event %s has the numbers %d and %d", e.ID, seq, e.Seq)
				}
				continue
			}
			if e.Seq <= last {
				w.Errorf("after %d comes %d", last, e.Seq)
			}
			seen[e.ID], last = e.Seq, e.Seq
		}
	}
	return len(seen)
}

package notify_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

var discard = slog.New(slog.DiscardHandler)

func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, ok)
		w.apply(w.sink)
		time.Sleep(time.Second)
		w.record("room", 1)
		time.Sleep(notify.DefaultWait / 2)
		w.box.Vacate("room")
		time.Sleep(notify.DefaultWait)
		if got := w.app.got(); len(got) != 1 || len(got[0].events) != 2 {
			t.Fatalf("two events within the wait made %+v", got)
		}
		w.record("room", 250)
		time.Sleep(time.Second)
		got := w.app.got()
		if w.inOrder(got) != 252 || len(got) != 4 || len(got[1].events) != 100 {
			t.Errorf("250 events made %d further requests, the first with %d events", len(got)-1, len(got[1].events))
		}
		if s := w.service.Stats()[0]; s.Delivered != 252 || s.Requests != 4 || s.Failed != 0 {
			t.Errorf("figures: %+v", s)
		}
	})
}

// The same bytes come again under the same id, with a new time, until the app accepts them.
func TestRepeatsUnchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(ctx context.Context, n int) (int, error) {
			switch n {
			case 0:
				return 500, nil
			case 1:
				return 0, errCutOff
			case 2:
				<-ctx.Done() // takes too long
				return 0, ctx.Err()
			case 3:
				return 302, nil
			case 4:
				panic("the app's routes panic")
			}
			return 200, nil
		})
		w.apply(w.sink)
		w.record("room", 3)
		time.Sleep(2 * time.Second)
		w.box.Occupy("another")
		time.Sleep(2 * time.Minute)
		got := w.app.got()
		if len(got) != 7 || w.inOrder(got) != 4 {
			t.Fatalf("%d requests: %+v", len(got), got)
		}
		for _, r := range got[1:6] {
			if r.body != got[0].body || r.id != got[0].id || r.timestamp < got[0].timestamp {
				t.Errorf("the repetition differs: %+v, first %+v", r, got[0])
			}
		}
		if got[5].timestamp == got[0].timestamp || got[5].signature == got[0].signature {
			t.Error("a late attempt has the time of the first one")
		}
		if got[6].id == got[0].id {
			t.Error("two batches have one id")
		}
		if s := w.service.Stats()[0]; s.Failed != 5 || s.Waiting != 0 {
			t.Errorf("figures: %+v", s)
		}
	})
}

func TestPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Time
		w := start(t, func(context.Context, int) (int, error) {
			times = append(times, time.Now())
			return 503, nil
		})
		w.apply(w.sink)
		w.record("room", 1)
		time.Sleep(5 * time.Minute)
		_ = w.service.Close()
		if n := len(times); n < 12 || n > 30 {
			t.Errorf("%d attempts in five minutes", n)
		}
		for i := 1; i < len(times); i++ {
			if d := times[i].Sub(times[i-1]); d < 250*time.Millisecond || d > 30*time.Second {
				t.Errorf("the pause %d takes %v", i, d)
			}
		}
		if d := times[len(times)-1].Sub(times[len(times)-2]); d < 15*time.Second {
			t.Errorf("after five minutes a pause takes %v", d)
		}
	})
}

func TestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var back atomic.Bool
		w := start(t, func(context.Context, int) (int, error) {
			if !back.Load() {
				return 500, nil
			}
			return 200, nil
		})
		w.sink.Retry, w.sink.Events = time.Minute, 2
		w.apply(w.sink)
		w.record("room", 6)
		time.Sleep(100 * time.Second) // the first batch is given up, the second is not
		back.Store(true)
		time.Sleep(time.Minute)
		got := w.app.took()
		if len(got) != 5 || got[0].Type != notify.Lost || got[0].Count != 2 {
			t.Fatalf("the app accepted %+v", got)
		}
		if s := w.service.Stats()[0]; s.Lost != 2 || s.Delivered != 4 {
			t.Errorf("figures: %+v", s)
		}
	})
}

func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(_ context.Context, n int) (int, error) {
			if n == 0 {
				return 410, nil
			}
			return 200, nil
		})
		w.apply(w.sink)
		w.record("room", 4)
		time.Sleep(time.Minute)
		w.record("room", 5)
		time.Sleep(time.Hour)
		if n := len(w.app.got()); n != 1 || !w.service.Stats()[0].Closed {
			t.Fatalf("an app that is gone got %d requests", n)
		}
		w.apply(w.sink) // a reload
		w.box.Occupy("another")
		time.Sleep(time.Minute)
		if got := w.app.got(); len(got) != 2 || got[1].events[len(got[1].events)-1].Channel != "another" {
			t.Errorf("after a reload the app got %+v", got)
		}
	})
}

// A reload between two attempts changes where a batch goes, and by which secret it is signed.
func TestReloadBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(context.Context, int) (int, error) { return 500, nil })
		next := &app{t: t, answer: ok}
		w.apply(w.sink)
		w.record("room", 2)
		time.Sleep(10 * time.Second)
		w.sink.Post = next.post
		other, _ := notify.ParseSecret("whsec_enl6enl6enl6enl6enl6enl6enl6enl6enl6")
		w.sink.Sign = notify.SignWith(other)
		w.apply(w.sink)
		time.Sleep(100 * time.Millisecond)
		old, got := w.app.got(), next.got()
		if len(got) != 1 || got[0].body != old[0].body || got[0].id != old[0].id || got[0].signature == old[0].signature {
			t.Fatalf("after a reload the app got %+v", got)
		}
		w.apply() // without notify
		w.box.Occupy("another")
		time.Sleep(time.Hour)
		if len(next.got()) != 1 || len(w.service.Stats()) != 0 {
			t.Error("a sink that was removed gets events")
		}
	})
}

// A sink gets what it chose, and another one what that chose.
func TestChoices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, ok)
		second := &app{t: t, answer: ok}
		w.sink.Choice = notify.NewChoice([]notify.Type{notify.Occupied}, func(c string) bool { return c == "a" })
		other := w.sink
		other.Name, other.Post, other.Choice = "other", second.post, notify.NewChoice([]notify.Type{notify.Connected, notify.Vacated}, nil)
		w.apply(w.sink, other)
		w.record("a", 2)
		w.record("b", 2)
		w.box.Connect("c1", "ann")
		w.box.Disconnect("c1", "ann")
		time.Sleep(time.Second)
		if got := w.app.took(); len(got) != 1 || got[0].Channel != "a" {
			t.Errorf("the first sink got %+v", got)
		}
		if got := second.took(); len(got) != 3 || got[2].User != "ann" {
			t.Errorf("the second sink got %+v", got)
		}
	})
}

// The end of a service aborts a request. The next one sends the same batch.
func TestCloseAborts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(ctx context.Context, n int) (int, error) {
			if n > 0 {
				return 200, nil
			}
			<-ctx.Done()
			return 0, ctx.Err()
		})
		w.apply(w.sink)
		w.record("room", 1)
		time.Sleep(time.Second)
		began := time.Now()
		_ = w.service.Close()
		if d := time.Since(began); d > 0 {
			t.Errorf("Close waited for %v", d)
		}
		w.box.Vacate("room")
		w.service = notify.New(w.box, notify.Options{})
		w.apply(w.sink)
		time.Sleep(100 * time.Millisecond)
		got := w.app.got()
		if len(got) != 3 || got[1].body != got[0].body || got[1].id != got[0].id || w.inOrder(got) != 2 {
			t.Errorf("the next service sent %+v", got)
		}
		_ = w.service.Close()
	})
}

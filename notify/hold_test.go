package notify_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

// said lists what the app accepted, in order.
func said(events []notify.Event) string {
	var words []string
	for _, e := range events {
		words = append(words, string(e.Type)+" "+e.Channel)
	}
	return strings.Join(words, ", ")
}

// An end is held back and dropped with the beginning that follows in time. Other events do not wait
// for it.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, ok)
		w.sink.Hold = 3 * time.Second
		w.apply(w.sink)
		check := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after)
			if got := said(w.app.took()); got != want {
				t.Fatalf("after another %v the app knows %q, not %q", after, got, want)
			}
		}
		w.box.Occupy("a")
		w.box.Occupy("b")
		check(time.Second, "occupied a, occupied b")
		w.box.Vacate("a")
		w.box.Vacate("b")
		w.box.Occupy("c")
		check(time.Second, "occupied a, occupied b, occupied c")
		w.box.Occupy("a")
		check(time.Second, "occupied a, occupied b, occupied c")
		check(1100*time.Millisecond, "occupied a, occupied b, occupied c, vacated b")
		w.box.Vacate("c")
		time.Sleep(2 * time.Second)
		w.box.Vacate("a")
		check(1500*time.Millisecond, "occupied a, occupied b, occupied c, vacated b, vacated c")
		w.box.Occupy("c")
		check(3*time.Second, "occupied a, occupied b, occupied c, vacated b, vacated c, occupied c, vacated a")
	})
}

// What is held is sent also if nothing else comes, again until the app accepts it, and by the next
// sender.
func TestHoldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fail atomic.Bool
		fail.Store(true)
		w := start(t, func(context.Context, int) (int, error) {
			if fail.Load() {
				return 500, nil
			}
			return 200, nil
		})
		w.sink.Hold = 3 * time.Second
		w.apply(w.sink)
		w.box.Occupy("a")
		w.box.Vacate("a") // nobody need know that it was there
		time.Sleep(time.Second)
		w.box.Occupy("b")
		fail.Store(false)
		time.Sleep(3 * time.Second)
		w.box.Vacate("b")
		time.Sleep(time.Second)
		fail.Store(true)
		time.Sleep(3 * time.Second)
		if err := w.service.Close(); err != nil {
			t.Fatal(err)
		}
		fail.Store(false)
		w.service = notify.New(w.box, notify.Options{})
		w.apply(w.sink)
		time.Sleep(time.Minute)
		_ = w.service.Close()
		if got := said(w.app.took()); got != "occupied a, occupied b, vacated a, vacated b" && got != "occupied a, vacated a, occupied b, vacated b" {
			t.Errorf("the app knows %q", got)
		}
	})
}

// A choice of messages does not touch what other choices want.
func TestOnlyMessages(t *testing.T) {
	w := start(t, ok)
	mine := notify.NewChoice([]notify.Type{notify.Message}, func(c string) bool { return c == "mine" }).
		OnlyMessages(func(event, sender string) bool { return event == "hello" && sender != "" })
	both := notify.Choose(w.box, []notify.Sink{
		{Name: "mine", Choice: mine},
		{Name: "all", Choice: notify.NewChoice([]notify.Type{notify.Message, notify.Left}, func(c string) bool { return c == "theirs" })},
	}, notify.Bounds{})
	for _, c := range []struct {
		channel, event, sender string
		want                   bool
	}{{"mine", "hello", "ann", true}, {"mine", "hello", "", false}, {"mine", "x", "ann", false}, {"theirs", "x", "", true}, {"other", "hello", "ann", false}} {
		if got := both.WantsMessage(c.channel, c.event, c.sender); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if both.Wants(notify.Left, "mine") || !both.Wants(notify.Left, "theirs") || !both.Any(notify.Left) || both.Any(notify.Changed) {
		t.Error("one choice wants what only the other one does")
	}
}

package guard_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestRunEndsPanicAndLogsIt(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	if guard.Run(log, "a job", func() { panic("no luck") }) {
		t.Error("Run says that a function that panicked was fine")
	}
	for _, want := range []string{"panic in a job", "no luck", "TestRunEndsPanicAndLogsIt"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %q: %s", want, out.String())
		}
	}
	out.Reset()
	if !guard.Run(log, "a job", func() {}) || out.Len() > 0 {
		t.Errorf("Run of a function that does not panic logs %q", out.String())
	}
}

func TestRecoverCleansUpAfterPanicAlone(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	var cleaned []string
	clean := func(name string) func() { return func() { cleaned = append(cleaned, name) } }
	func() {
		defer guard.Recover(log, "a job", clean("early"))
	}()
	func() {
		defer guard.Recover(log, "a job", func() { panic("again") }, clean("late"))
		panic("no luck")
	}()
	if len(cleaned) != 1 || cleaned[0] != "late" {
		t.Errorf("cleaned up: %q", cleaned)
	}
}

func TestLoopGoesOnAfterPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, began, calls := slog.New(slog.DiscardHandler), time.Now(), 0
		guard.Loop(nil, log, "a loop", func() {
			if calls++; calls < 3 {
				panic("no luck")
			}
		})
		if calls != 3 || time.Since(began) != 2*time.Second {
			t.Errorf("%d calls in %v", calls, time.Since(began))
		}
		done := make(chan struct{})
		close(done)
		guard.Loop(done, log, "a loop", func() { calls++; panic("no luck") })
		if calls != 4 {
			t.Errorf("a loop that is over is called again: %d", calls)
		}
	})
}

package presence

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

// What a room could not announce because its timer panicked is announced a second later.
func TestPanicInTheTimerOfARoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(panictest.Log)
		s := newSite(t, newCluster(), Options{})
		var frames, broken atomic.Int32
		s.announce = func(string, Frame) { frames.Add(1) }
		s.Apply(Settings{Logger: log.Logger(), Room: func(string) Options {
			if broken.Add(-1) == 0 {
				panic("options")
			}
			return Options{}
		}})
		s.enter("r", "ann", "1", Change{}, nil)
		pass(time.Minute)
		before := frames.Load()
		s.enter("r", "bob", "2", Change{}, nil)
		broken.Store(1)
		pass(shortestWindow + 10*time.Millisecond)
		log.Once(t, "the timer of a room's presence", "options")
		if n := frames.Load(); n != before {
			t.Fatalf("%d frames before the panic, %d after it", before, n)
		}
		pass(afterPanic)
		if n := frames.Load(); n != before+1 {
			t.Errorf("%d frames before the panic, %d in the end", before, n)
		}
	})
}

// A task that panics takes no worker from the pool.
func TestPanicOfATask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, done := new(panictest.Log), 0
		p := &pool{life: new(life), log: log.Logger}
		p.add(func() { panic("task") })
		synctest.Wait()
		for range workers + 1 {
			p.add(func() { done++ })
			synctest.Wait()
		}
		log.Once(t, "presence", "task")
		if done != workers+1 || p.running != 0 {
			t.Errorf("%d tasks are done, %d workers run", done, p.running)
		}
	})
}

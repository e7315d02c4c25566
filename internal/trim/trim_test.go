package trim

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// trimmer returns a Trimmer that counts instead of returning memory.
func trimmer() (t *Trimmer, freed *atomic.Int32) {
	freed = new(atomic.Int32)
	return &Trimmer{free: func() { freed.Add(1) }}, freed
}

func open(tr *Trimmer, n int) {
	for range n {
		tr.Opened()
	}
}

func wantFreed(t *testing.T, freed *atomic.Int32, want int32, when string) {
	t.Helper()
	synctest.Wait()
	if n := freed.Load(); n != want {
		t.Errorf("%s: memory was returned %d times, want %d", when, n, want)
	}
}

func TestFewConnectionsReturnNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, freed := trimmer()
		open(tr, storm-1)
		time.Sleep(time.Hour)
		wantFreed(t, freed, 0, "after fewer than a storm")
	})
}

func TestReturnAfterTheStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, freed := trimmer()
		for range 100 { // a storm of twenty seconds
			open(tr, storm)
			time.Sleep(calm / 10)
			wantFreed(t, freed, 0, "in the storm")
		}
		open(tr, storm/hardly/2) // the usual coming and going
		time.Sleep(calm)
		wantFreed(t, freed, 1, "after the storm")
		time.Sleep(time.Hour)
		wantFreed(t, freed, 1, "an hour later")
	})
}

func TestReturnIsRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, freed := trimmer()
		open(tr, storm)
		time.Sleep(calm)
		wantFreed(t, freed, 1, "after the first storm")
		open(tr, storm)
		time.Sleep(pause - time.Second)
		wantFreed(t, freed, 1, "within the pause")
		time.Sleep(time.Second)
		wantFreed(t, freed, 2, "after the pause")
	})
}

func TestPanicInTheReturnOfMemory(t *testing.T) {
	log := panictest.Default(t)
	tr := &Trimmer{free: func() { panic("free") }}
	tr.waiting.Store(true)
	tr.check()
	log.Once(t, "the return of memory", "free")
	if tr.waiting.Load() {
		t.Error("the next storm returns nothing")
	}
}

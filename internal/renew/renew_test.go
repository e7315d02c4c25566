package renew

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A look is at most once a second, and once in ten after one that failed.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		looks := 0
		for range 100 {
			g.Look(func() error { looks++; return nil })
			time.Sleep(100 * time.Millisecond)
		}
		if looks != 10 {
			t.Errorf("%d looks in ten seconds, want 10", looks)
		}
		looks = 0
		for range 300 {
			g.Look(func() error { looks++; return errors.New("away") })
			time.Sleep(100 * time.Millisecond)
		}
		if looks != 3 {
			t.Errorf("%d looks that failed in thirty seconds, want 3", looks)
		}
	})
}

// While one caller looks the others do not wait, and a panic does not shut the gate.
func TestGateIsForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		release := make(chan struct{})
		go g.Look(func() error { <-release; return nil })
		synctest.Wait()
		time.Sleep(time.Hour)
		g.Look(func() error { t.Error("two looks at a time"); return nil })
		close(release)
		synctest.Wait()
		time.Sleep(time.Minute)
		func() {
			defer func() { _ = recover() }()
			g.Look(func() error { panic("look") })
		}()
		time.Sleep(time.Minute)
		looked := false
		if g.Look(func() error { looked = true; return nil }); !looked {
			t.Error("the gate is shut")
		}
	})
}

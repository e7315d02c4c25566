package poller

import (
	"testing"
	"testing/synctest"
	"time"
)

// bell counts how often a deadline of its own has passed.
type bell struct {
	rang []time.Duration
}

func (b *bell) expire(bool) { b.rang = append(b.rang, now()) }

// Deadlines are kept, at most a sixteenth too late, with few rings of one timer.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(began) + time.Hour) // the clock of the test starts long ago
		s, started := new(sweep), now()
		bells := make([]bell, 1000)
		for i := range bells {
			s.set(key{&bells[i], false}, now()+10*time.Second)
			time.Sleep(time.Millisecond)
		}
		cleared := new(bell)
		s.set(key{cleared, true}, now()+time.Second)
		s.clear(key{cleared, true})
		time.Sleep(20 * time.Second)
		synctest.Wait()
		rings := make(map[time.Duration]bool)
		for i := range bells {
			due := started + time.Duration(i)*time.Millisecond + 10*time.Second
			if len(bells[i].rang) != 1 || bells[i].rang[0] < due || bells[i].rang[0] > due+700*time.Millisecond {
				t.Fatalf("the deadline %v passed at %v", due, bells[i].rang)
			}
			rings[bells[i].rang[0]] = true
		}
		if len(rings) > 4 || len(cleared.rang) > 0 {
			t.Errorf("%d rings, cleared %v", len(rings), cleared.rang)
		}
	})
}

// An early deadline does not wait for a late one, and one that is set again is kept once.
func TestSweepOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, early, late := new(sweep), new(bell), new(bell)
		started := now()
		s.set(key{late, true}, started+time.Hour)
		s.set(key{early, true}, started+time.Minute)
		s.set(key{early, true}, started+time.Second)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if len(early.rang) != 1 || early.rang[0] > started+2*time.Second || len(late.rang) != 1 {
			t.Errorf("early %v, late %v", early.rang, late.rang)
		}
	})
}

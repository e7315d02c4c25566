package hub

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// waitWire waits for space without the hub.
type waitWire struct {
	tryWire
	waits int // WhenWritable was called; guarded by mu
}

func (w *waitWire) Write([]byte) error { panic("the hub calls Write") }

func (w *waitWire) WhenWritable(within time.Duration, f func(error)) {
	w.mu.Lock()
	w.waits++
	w.mu.Unlock()
	go func() {
		late := time.AfterFunc(within, w.free.Broadcast)
		defer late.Stop()
		due := time.Now().Add(within)
		w.mu.Lock()
		for w.stuck && w.part == 0 && !w.closed && time.Now().Before(due) {
			w.free.Wait()
		}
		full, closed := w.stuck && w.part == 0, w.closed
		w.mu.Unlock()
		switch {
		case closed:
			f(errors.New("closed"))
		case full:
			f(os.ErrDeadlineExceeded)
		default:
			f(nil)
		}
	}()
}

// give makes space for n bytes in a stuck wire.
func (w *waitWire) give(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.part += n
	w.free.Broadcast()
}

// What a full transport does not take is written in order when there is space.
func TestWaitForSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := &waitWire{tryWire: tryWire{wire: newWire(), part: 3}}
		w.stuck = true
		c := connect(t, h, w)
		var want strings.Builder
		for _, s := range []string{"first", "second", "third"} {
			c.Send(s)
			want.WriteString(s + "\n")
		}
		for range 4 {
			synctest.Wait()
			w.give(2)
		}
		synctest.Wait()
		if got := w.text(); got != want.String()[:11] {
			t.Errorf("written %q, want 11 bytes of %q", got, want.String())
		}
		w.stick(false)
		synctest.Wait()
		if got := w.text(); got != want.String() {
			t.Errorf("written %q, want %q", got, want.String())
		}
		c.Close(ReasonNormal)
	})
}

// A client that takes a byte now and then has no more time for a write than one that takes
// nothing.
func TestWaitIsBounded(t *testing.T) {
	for name, bytes := range map[string]int{"nothing": 0, "a byte a second": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newTestHub(t, Settings{WriteTimeout: 10 * time.Second})
				w := &waitWire{tryWire: tryWire{wire: newWire(), part: 1}}
				w.stuck = true
				c := connect(t, h, w)
				c.Send(strings.Repeat("x", 100))
				for range 9 {
					time.Sleep(time.Second)
					w.give(bytes)
				}
				synctest.Wait()
				if w.isClosed() {
					t.Fatal("closed too early")
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if !w.isClosed() {
					t.Error("not closed")
				}
			})
		})
	}
}

// The time of a write starts when it first waits, and not with the one before.
func TestWaitStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{WriteTimeout: 10 * time.Second})
		w := &waitWire{tryWire: tryWire{wire: newWire(), part: 1}}
		w.stuck = true
		c := connect(t, h, w)
		for range 5 {
			c.Send("12345")
			time.Sleep(6 * time.Second)
			w.give(6)
			synctest.Wait()
		}
		if w.isClosed() {
			t.Error("closed, though each write took six seconds")
		}
		w.stick(false)
		c.Close(ReasonNormal)
	})
}

// All bytes that the transport takes count as sent, also those that it takes later.
func TestWaitCountsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := &waitWire{tryWire: tryWire{wire: newWire(), part: 3}}
		w.stuck = true
		c := connect(t, h, w)
		c.Send("first")
		c.Send("second")
		for range 2 {
			if got, want := c.Sent().Bytes, len(w.text()); got != uint64(want) {
				t.Errorf("%d bytes count as sent, and the transport has %d", got, want)
			}
			w.stick(false)
			synctest.Wait()
		}
		c.Close(ReasonNormal)
	})
}

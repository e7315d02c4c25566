package hub

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// slowHub has rooms d…, o… and l… with the three policies; a second letter h
// means history. Queues hold four messages.
func slowHub(t *testing.T) *Hub {
	policies := map[byte]Slow{'d': SlowDisconnect, 'o': SlowDropOldest, 'l': SlowLatest}
	h, _ := newTestHub(t, Settings{QueueMessages: 4, Room: func(channel string) RoomOptions {
		o := RoomOptions{Slow: policies[channel[0]]}
		if strings.HasPrefix(channel[1:], "h") {
			o.Retention.Size = 100
		}
		return o
	}})
	return h
}

// stuckConn is a connection that has begun a write which does not end.
func stuckConn(t *testing.T, h *Hub, channels ...string) (*Conn, *wire) {
	w := newWire()
	c := connect(t, h, w)
	for _, channel := range channels {
		subscribe(t, h, c, channel, SubscribeOptions{})
	}
	w.stick(true)
	c.Send("stuck")
	synctest.Wait()
	return c, w
}

func publishN(t *testing.T, h *Hub, channel string, n int) {
	for i := range n {
		publish(t, h, channel, fmt.Sprint(i+1))
		synctest.Wait()
	}
}

func TestSlow(t *testing.T) {
	cases := map[string]struct {
		channel string
		publish int
		want    []string
	}{
		"disconnect, fits":            {"dh", 4, []string{"stuck", "dh@1 1", "dh@2 2", "dh@3 3", "dh@4 4"}},
		"disconnect, full":            {"dh", 5, []string{"stuck", "close 4500"}},
		"drop oldest, history":        {"oh", 7, []string{"stuck", "gap oh@3", "oh@4 4", "oh@5 5", "oh@6 6", "oh@7 7"}},
		"drop oldest, ephemeral":      {"o", 6, []string{"stuck", "gap o@0", "o@0 3", "o@0 4", "o@0 5", "o@0 6"}},
		"latest, history":             {"lh", 9, []string{"stuck", "gap lh@8", "lh@9 9"}},
		"latest, ephemeral: no gap":   {"l", 9, []string{"stuck", "l@0 9"}},
		"latest, nothing in between":  {"l", 1, []string{"stuck", "l@0 1"}},
		"drop oldest, nothing to say": {"oh", 4, []string{"stuck", "oh@1 1", "oh@2 2", "oh@3 3", "oh@4 4"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := slowHub(t)
				_, w := stuckConn(t, h, tc.channel)
				publishN(t, h, tc.channel, tc.publish)
				w.stick(false)
				expect(t, w, tc.want...)
			})
		})
	}
}

// One room's flood must not cost another room of the same connection its
// messages; what the flooded room loses is told even if nothing follows.
func TestDropWithoutOwnMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := slowHub(t)
		_, w := stuckConn(t, h, "dh", "oh")
		publishN(t, h, "dh", 4)
		publishN(t, h, "oh", 3)
		w.stick(false)
		expect(t, w, "stuck", "dh@1 1", "dh@2 2", "dh@3 3", "dh@4 4", "gap oh@3")
		publish(t, h, "oh", "next")
		expect(t, w, "stuck", "dh@1 1", "dh@2 2", "dh@3 3", "dh@4 4", "gap oh@3", "oh@4 next")
	})
}

func TestSlowIsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := slowHub(t)
		_, slow := stuckConn(t, h, "dh")
		healthy := newWire()
		subscribe(t, h, connect(t, h, healthy), "dh", SubscribeOptions{})
		publishN(t, h, "dh", 20)
		if n := len(healthy.lines()); n != 20 {
			t.Errorf("the healthy neighbour got %d of 20 messages", n)
		}
		if slow.isClosed() {
			t.Error("the slow connection was cut before its last words had their time")
		}
	})
}

func TestQueueBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{QueueBytes: 100})
		w := newWire()
		subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{})
		publish(t, h, "h", strings.Repeat("x", 500)) // alone it always fits
		expect(t, w, "h@1 "+strings.Repeat("x", 500))
		w.stick(true)
		publish(t, h, "h", "in flight")
		synctest.Wait()
		publish(t, h, "h", strings.Repeat("y", 50), strings.Repeat("z", 50))
		synctest.Wait()
		w.stick(false)
		expect(t, w, "h@1 "+strings.Repeat("x", 500), "h@2 in flight", "close 4500")
	})
}

// A write that the socket cuts short goes on where it stopped, with what was
// queued behind it.
func TestPartialWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := &tryWire{wire: newWire(), part: 3}
		c := connect(t, h, w)
		subscribe(t, h, c, "h", SubscribeOptions{})
		w.stick(true)
		publish(t, h, "h", "first", "second")
		synctest.Wait() // the rest is being written: nothing may overtake it
		c.Send("reply")
		synctest.Wait()
		if got := w.text(); got != "h@1" {
			t.Fatalf("written %q before the socket was free, want %q", got, "h@1")
		}
		w.stick(false)
		expect(t, w.wire, "h@1 first", "h@2 second", "reply")
	})
}

// Frames that wait are gathered into one write.
func TestCoalescing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		_, w := stuckConn(t, h, "h")
		publishN(t, h, "h", 100)
		w.stick(false)
		synctest.Wait()
		if len(w.lines()) != 101 || w.count() != 2 {
			t.Errorf("%d lines in %d writes, want 101 in 2", len(w.lines()), w.count())
		}
	})
}

// A client that recovers many rooms is slowed down, not cut off.
func TestReplayWaitsForSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{QueueBytes: 1000})
		replay := func(s Subscribed) []Event { return []Event{strings.Repeat("r", 600)} }
		w := newWire()
		c := connect(t, h, w)
		w.stick(true)
		c.Send("stuck")
		synctest.Wait()
		subscribe(t, h, c, "h1", SubscribeOptions{Reply: replay})
		done := make(chan struct{})
		go func() {
			defer close(done)
			subscribe(t, h, c, "h2", SubscribeOptions{Reply: replay})
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("the second replay did not wait")
		default:
		}
		w.stick(false)
		<-done
		expect(t, w, "stuck", strings.Repeat("r", 600), strings.Repeat("r", 600))
	})
}

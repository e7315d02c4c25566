package hub

import (
	"fmt"
	"math/rand/v2"
	"slices"
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

// What was dropped leaves nothing behind, so that the next message costs the same.
func TestDroppedLeavesNothing(t *testing.T) {
	for slow, want := range map[Slow]int32{SlowDropOldest: 256, SlowLatest: 1} {
		c, _, _ := stuckFor(t, slow, 10_000)
		if q := &c.queue; len(q.slots) > 257 || q.count != want {
			t.Errorf("policy %d: %d places for %d messages, want %d", slow, len(q.slots), q.count, want)
		}
	}
}

// The queue keeps the order of everything while messages of several rooms are dropped
// from all over it.
func TestQueueAgainstAModel(t *testing.T) {
	type entry struct {
		frame byte
		sub   int
	}
	subs, random := []*subscription{nil, {}, {}, {}}, rand.New(rand.NewPCG(1, 2))
	var q queue
	var model []entry
	for i := range 100_000 {
		switch n := random.IntN(5); {
		case n < 2 || len(model) == 0:
			e := entry{byte(i), random.IntN(len(subs))}
			it := item{frame: []byte{e.frame}, sub: subs[e.sub], exempt: n == 0}
			if e.sub > 0 {
				it.msg = &Message{Content: it.frame}
			}
			q.push(it)
			model = append(model, e)
		case n == 2:
			if got := q.shift(); got.frame[0] != model[0].frame {
				t.Fatalf("step %d: shifted %d, want %d", i, got.frame[0], model[0].frame)
			}
			model = model[1:]
		default:
			sub := 1 + random.IntN(len(subs)-1)
			at := slices.IndexFunc(model, func(e entry) bool { return e.sub == sub })
			m := q.drop(subs[sub])
			if (m == nil) != (at < 0) || m != nil && m.Content[0] != model[at].frame {
				t.Fatalf("step %d: dropped %v", i, m)
			}
			if at >= 0 {
				model = slices.Delete(model, at, at+1)
			}
		}
		if q.empty() != (len(model) == 0) || q.bytes != len(model) || q.empty() && (q.count != 0 || q.slots != nil) {
			t.Fatalf("step %d: %d bytes, %d items, want %d", i, q.bytes, q.count, len(model))
		}
	}
}

// A direct write that the socket takes in part leaves no more behind than the queue may
// hold: what comes behind the broken frame is under the limits and the slow policy.
func TestDirectWriteStaysInBounds(t *testing.T) {
	const limit, size = 256 << 10, 60 << 10
	for slow, want := range map[Slow]string{SlowDisconnect: "close 4500", SlowDropOldest: "h@41 ", SlowLatest: "h@41 "} {
		for _, part := range []int{0, 1000, size + len("h@2 \n")} {
			synctest.Test(t, func(t *testing.T) {
				room := func(string) RoomOptions { return RoomOptions{Slow: slow, Retention: Retention{Size: 100}} }
				h, _ := newTestHub(t, Settings{QueueBytes: limit, Room: room})
				w := &tryWire{wire: newWire(), part: part}
				c := connect(t, h, w)
				subscribe(t, h, c, "h", SubscribeOptions{})
				publish(t, h, "h", "before")
				synctest.Wait()
				w.stick(true)
				burst(t, h, 40, size)
				if held := c.queue.bytes + len(c.unwritten); held > limit+size {
					t.Errorf("policy %d: %d bytes are held", slow, held)
				}
				w.stick(false)
				synctest.Wait()
				got := w.lines()
				if last := got[len(got)-1]; !strings.HasPrefix(last, want) {
					t.Errorf("policy %d, part %d: the end is %.20q, want %q", slow, part, last, want)
				}
				if slow != SlowDisconnect && strings.Count(w.text(), "gap h@") != 1 {
					t.Errorf("policy %d, part %d: not exactly one gap", slow, part)
				}
			})
		}
	}
}

// burst gives a room n messages at once, behind the first.
func burst(t *testing.T, h *Hub, n, size int) {
	var ms []*Message
	for i := range n {
		ms = append(ms, &Message{
			Channel: "h", Content: []byte(strings.Repeat("x", size)), Position: Position{Epoch: "e", Offset: uint64(i) + 2},
		})
	}
	h.Broadcast("h", ms...)
	synctest.Wait()
}

// A burst of many small messages that the socket does not take goes to the queue one by
// one.
func TestSmallMessagesBehindAFullSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{QueueMessages: 8, Room: func(string) RoomOptions {
			return RoomOptions{Slow: SlowDropOldest, Retention: Retention{Size: 100}}
		}})
		w := &tryWire{wire: newWire(), part: len("h@2 xxxx\nh@3")}
		c := connect(t, h, w)
		subscribe(t, h, c, "h", SubscribeOptions{})
		publish(t, h, "h", "before")
		synctest.Wait()
		w.stick(true)
		burst(t, h, 60, 4)
		if c.queue.count > 8 {
			t.Errorf("%d messages are queued", c.queue.count)
		}
		w.stick(false)
		synctest.Wait()
		got := w.lines()
		if got[1] != "h@2 xxxx" || got[2] != "h@3 xxxx" || !strings.HasPrefix(got[3], "gap") || got[len(got)-1] != "h@61 xxxx" {
			t.Errorf("%q", got)
		}
	})
}

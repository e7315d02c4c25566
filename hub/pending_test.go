package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// wide settings have queues that do not fill, and no heartbeat that would meet the gate.
var wide = Settings{QueueBytes: 64 << 20, QueueMessages: 1 << 20, Heartbeat: time.Hour}

// heldRoom is a room whose broadcast is held up at its only member until the gate is
// opened.
func heldRoom(t *testing.T, h *Hub, channel string) gateWire {
	w := gateWire{newWire(), make(chan struct{})}
	subscribe(t, h, as(t, h, w, "ann"), channel, SubscribeOptions{})
	h.Announce(channel, "first")
	synctest.Wait()
	return w
}

func kilobytes(n int) []byte { return []byte(strings.Repeat("x", n<<10-64)) }

// publishAsync publishes and tells what came of it.
func publishAsync(ctx context.Context, h *Hub, m *Message) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := h.Publish(ctx, m, "")
		done <- err
	}()
	synctest.Wait()
	return done
}

func pendingNow(done <-chan error) bool {
	select {
	case <-done:
		return false
	default:
		return true
	}
}

// What a room has yet to broadcast is bounded in bytes and in messages; who publishes
// more waits, in turn, and loses nothing.
func TestPublisherWaits(t *testing.T) {
	for _, size := range []int{100, 64 << 10, 2 * maxPending} {
		for _, direct := range []*Direct{nil, {To: Address{User: "ann"}}} {
			t.Run(fmt.Sprintf("%d direct=%t", size, direct != nil), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { publishersWait(t, size, direct) })
			})
		}
	}
}

func publishersWait(t *testing.T, size int, direct *Direct) {
	h, _ := newTestHub(t, wide)
	w := heldRoom(t, h, "h")
	fit := max(1, maxPending/max(size+64, minWeight))
	content := strings.Repeat("x", size)
	var waiting []<-chan error
	for i := range fit + 5 {
		m := &Message{Channel: "h", Content: fmt.Append(nil, i, content), Direct: direct}
		m.Content = m.Content[:size]
		done := publishAsync(t.Context(), h, m)
		if pendingNow(done) {
			waiting = append(waiting, done)
		}
	}
	s := h.Stats()
	if s.Waiting != len(waiting) || len(waiting) < 5 || len(waiting) > 6 || s.Pending > max(maxPending, size+64) {
		t.Errorf("%d of %d publishers wait; %+v", len(waiting), fit+5, s)
	}
	close(w.gate)
	synctest.Wait()
	for i, done := range waiting {
		if pendingNow(done) {
			t.Errorf("publisher %d still waits", i)
		}
	}
	lines := w.lines()[1:]
	if len(lines) != fit+5 {
		t.Fatalf("%d of %d messages were delivered", len(lines), fit+5)
	}
	for i, l := range lines[:fit] { // of those that waited each has its own goroutine
		if _, content, _ := strings.Cut(l, " "); !strings.HasPrefix(content, fmt.Sprint(i)) {
			t.Errorf("message %d is %.20q", i, content)
		}
	}
	if s = h.Stats(); s.Pending != 0 || s.Waiting != 0 || s.Dropped != 0 || h.room("h").reserved != 0 {
		t.Errorf("left over: %+v", s)
	}
}

// A publisher gives up when its context ends, or its patience, and then nothing was sent.
func TestPublisherGivesUp(t *testing.T) {
	cancelled := func() (context.Context, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		t.Cleanup(cancel)
		return ctx, context.DeadlineExceeded
	}
	impatient := func() (context.Context, error) { return WithPatience(context.Background(), 2*time.Second), ErrCrowded }
	for name, with := range map[string]func() (context.Context, error){"context": cancelled, "patience": impatient} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newTestHub(t, wide)
				w := heldRoom(t, h, "h")
				if err := <-publishAsync(t.Context(), h, &Message{Channel: "h", Content: kilobytes(1000)}); err != nil {
					t.Fatal(err)
				}
				ctx, want := with()
				heavy := publishAsync(ctx, h, &Message{Channel: "h", Content: kilobytes(100)})
				light := publishAsync(t.Context(), h, &Message{Channel: "h", Content: []byte("light")})
				if !pendingNow(light) {
					t.Error("the light message has overtaken the heavy one")
				}
				begin := time.Now()
				if err := <-heavy; !errors.Is(err, want) || time.Since(begin) != 2*time.Second {
					t.Errorf("%v after %v", err, time.Since(begin))
				}
				if err := <-light; err != nil { // there was space for it
					t.Error(err)
				}
				close(w.gate)
				synctest.Wait()
				if got := w.lines(); len(got) != 3 || got[2] != "h@2 light" {
					t.Errorf("%d lines, the last %.20q", len(got), got[len(got)-1])
				}
				if s := h.Stats(); s.Waiting != 0 || s.Pending != 0 || h.room("h").reserved != 0 {
					t.Errorf("left over: %+v", s)
				}
			})
		})
	}
}

// The patience of one request is for all of its messages together.
func TestPatienceIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, wide)
		w := heldRoom(t, h, "h")
		if err := <-publishAsync(t.Context(), h, &Message{Channel: "h", Content: kilobytes(1023)}); err != nil {
			t.Fatal(err)
		}
		ctx, begin := WithPatience(t.Context(), time.Second), time.Now()
		for range 10 {
			if _, err := h.Publish(ctx, &Message{Channel: "h", Content: kilobytes(10)}, ""); !errors.Is(err, ErrCrowded) {
				t.Fatal(err)
			}
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("ten messages waited %v", took)
		}
		if n := h.Stats().Rejected; n != 10 {
			t.Errorf("%d refused", n)
		}
		close(w.gate)
	})
}

// A broker can not wait: what it delivers beyond the bound is a gap, in the place of
// what is lost, and what follows is delivered again.
func TestBrokerFloods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, wide)
		w := heldRoom(t, h, "h")
		const total = 200
		for i := range uint64(total) {
			h.Broadcast("h", &Message{Channel: "h", Content: kilobytes(64), Position: Position{Epoch: "e", Offset: i + 1}})
		}
		s := h.Stats()
		if s.Pending > maxFlood+2*minWeight || s.Dropped != total-maxFlood/(64<<10) {
			t.Errorf("pending %d, dropped %d", s.Pending, s.Dropped)
		}
		close(w.gate)
		synctest.Wait()
		h.Broadcast("h", &Message{Channel: "h", Content: []byte("next"), Position: Position{Epoch: "e", Offset: total + 1}})
		synctest.Wait()
		got := w.lines()
		if n := len(got); n != 1+maxFlood/(64<<10)+2 || got[n-2] != "gap h@200" || got[n-1] != "h@201 next" {
			t.Errorf("%d lines, the end %.20q", n, got[n-2:])
		}
	})
}

// heavy is an announced event of 64 KiB.
type heavy struct{ text }
type text string

func (text) Size() int { return 64 << 10 }

// Events count as well, by the size that they tell, and are lost like messages; a
// message to one member is lost without a gap.
func TestEventsFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, wide)
		publish(t, h, "h", "a")
		w := heldRoom(t, h, "h")
		for range maxFlood / (64 << 10) {
			h.Announce("h", heavy{"not written"})
		}
		h.Broadcast("h", &Message{Channel: "h", Content: kilobytes(64), Direct: &Direct{To: Address{User: "ann"}}})
		if s := h.Stats(); s.Pending > maxFlood || s.Pending < maxFlood-64<<10 || s.Dropped != 1+1 {
			t.Errorf("%+v", s)
		}
		if done := publishAsync(WithPatience(t.Context(), time.Millisecond), h, &Message{Channel: "h"}); !errors.Is(<-done, ErrCrowded) {
			t.Error("events did not count for publishers")
		}
		close(w.gate)
		expect(t, w, "first", "gap h@0")
	})
}

// A room that has emptied lets its publishers go on.
func TestPublisherWaitsInADeadRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newTestHub(t, wide)
		w := gateWire{newWire(), make(chan struct{})}
		c := connect(t, h, w)
		subscribe(t, h, c, "h", SubscribeOptions{})
		h.Announce("h", "first")
		synctest.Wait()
		first := publishAsync(t.Context(), h, &Message{Channel: "h", Content: kilobytes(1023)})
		second := publishAsync(t.Context(), h, &Message{Channel: "h", Content: kilobytes(10)})
		if pendingNow(first) || !pendingNow(second) {
			t.Fatal("the second publisher does not wait")
		}
		close(w.gate)
		h.Unsubscribe(c, "h")
		if err := <-second; err != nil || len(b.log["h"]) != 2 {
			t.Errorf("%v, %d messages", err, len(b.log["h"]))
		}
	})
}

// While nothing of a peer is read its silence proves nothing.
func TestUnreadIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: 20 * time.Second, Timeout: 5 * time.Second})
		w := newWire()
		c, err := h.Connect(ConnOptions{Transport: w, Encoder: lines, Answers: true})
		if err != nil {
			t.Fatal(err)
		}
		c.Unread()
		time.Sleep(time.Hour)
		if w.isClosed() {
			t.Error("closed while nothing was read")
		}
		c.Heard()
		time.Sleep(time.Minute)
		if !w.isClosed() {
			t.Error("not found when it was really silent")
		}
	})
}

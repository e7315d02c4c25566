package hub

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// observe connects an observer.
func observe(t *testing.T, h *Hub, w *wire) *Conn {
	t.Helper()
	c, err := h.Connect(ConnOptions{Transport: w, Encoder: lines, Observer: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// occupied notes what is reported of rooms.
type occupied struct {
	mu  sync.Mutex
	all []string
}

func (o *occupied) note(s string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, s)
}
func (o *occupied) Occupy(channel string) { o.note("+" + channel) }
func (o *occupied) Vacate(channel string) { o.note("-" + channel) }

// An observer gets what is published, and is in no figure: neither while it watches nor
// afterwards.
func TestObserverIsInNoFigure(t *testing.T) {
	h, _ := newTestHub(t, Settings{})
	rooms := new(occupied)
	h.WatchOccupancy(rooms)
	w := newWire()
	c := observe(t, h, w)
	subscribe(t, h, c, "a", SubscribeOptions{})
	publishMany(t, h, "a", 3)
	for !c.isIdle() {
		runtime.Gosched()
	}
	if got := w.text(); got != "a@1 0\na@2 1\na@3 2\n" && got != "a@0 0\na@0 1\na@0 2\n" {
		t.Errorf("the observer got %q", got)
	}
	check := func(when string, bytes uint64) {
		t.Helper()
		s := h.Stats()
		if s.Rooms != 0 || s.Subscriptions != 0 || s.Delays.Count() != 0 || h.Conns() != 0 || h.ConnStats().Kinds[Kind{}].Bytes != bytes {
			t.Errorf("%s: %d rooms, %d subscriptions, %d deliveries, %d connections, %v", when, s.Rooms, s.Subscriptions, s.Delays.Count(), h.Conns(), h.ConnStats())
		}
		if page, _ := h.Rooms("", "", 10); len(page) != 0 {
			t.Errorf("%s: rooms %v", when, page)
		}
		if rooms, subscriptions := h.Census(); rooms+subscriptions != 0 {
			t.Errorf("%s: the census has %d rooms and %d subscriptions", when, rooms, subscriptions)
		}
	}
	check("while it watches", 0)

	own := newWire()
	client := connect(t, h, own)
	subscribe(t, h, client, "a", SubscribeOptions{})
	if page, _ := h.Rooms("", "", 10); !slices.Equal(page, []RoomInfo{{"a", 1}}) || h.Conns() != 1 {
		t.Errorf("with a client: %v, %d connections", page, h.Conns())
	}
	h.WatchOccupancy(rooms) // reports the room again
	h.Unsubscribe(client, "a")
	h.WatchOccupancy(rooms) // has nothing to report
	c.Close(ReasonNormal)
	client.Close(ReasonNormal)
	for !w.isClosed() || !own.isClosed() || h.Conns() != 0 { // its last bytes are written before it is closed
		runtime.Gosched()
	}
	check("afterwards", uint64(len("close 1000\n"))) // those of the client
	if want := []string{"+a", "+a", "-a"}; !slices.Equal(rooms.all, want) {
		t.Errorf("the rooms were reported as %q, want %q", rooms.all, want)
	}
}

// The gaps and drops of an observer that is slow are not those of clients.
func TestSlowObserverIsInNoFigure(t *testing.T) {
	h, _ := newTestHub(t, Settings{QueueMessages: 4})
	w := newWire()
	c := observe(t, h, w)
	subscribe(t, h, c, "a", SubscribeOptions{})
	w.stick(true)
	c.Send("stuck")
	for c.queued() > 0 {
		runtime.Gosched()
	}
	publishMany(t, h, "a", 10)
	s := h.Stats()
	for policy, n := range s.Slow {
		if n != 0 {
			t.Errorf("policy %d: %d", policy, n)
		}
	}
	if s.Gaps[GapSlow] != 0 || h.ConnStats().Fullest != 0 {
		t.Errorf("%d gaps, %v full", s.Gaps[GapSlow], h.ConnStats().Fullest)
	}
	w.stick(false)
}

// A commanded drain neither closes nor rejects observers. The one at exit does both.
func TestObserverOfDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		before, during, client := newWire(), newWire(), newWire()
		observe(t, h, before)
		connect(t, h, client)
		go h.Drain(context.Background(), DrainPlan{Window: time.Second})
		synctest.Wait()
		observe(t, h, during)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if before.isClosed() || during.isClosed() || !client.isClosed() {
			t.Errorf("closed: before %v, during %v, the client %v; want only the client", before.isClosed(), during.isClosed(), client.isClosed())
		}
		if err := h.Drain(context.Background(), DrainPlan{Hurry: true}); err != nil {
			t.Fatal(err)
		}
		h.Accept()
		if _, err := h.Connect(ConnOptions{Transport: newWire(), Encoder: lines, Observer: true}); !errors.Is(err, ErrClosed) {
			t.Errorf("an observer at exit: %v, want ErrClosed", err)
		}
		synctest.Wait()
		if !before.isClosed() || !during.isClosed() {
			t.Error("the drain at exit leaves observers")
		}
	})
}

package hub

import (
	"context"
	"fmt"
	"runtime"
	"testing"
)

// publishMany publishes messages to a room and waits until they are broadcast.
func publishMany(t *testing.T, h *Hub, channel string, n int) {
	t.Helper()
	for i := range n {
		m := &Message{Channel: channel, Content: fmt.Appendf(nil, "%d", i)}
		if _, err := h.Publish(context.Background(), m, ""); err != nil {
			t.Fatal(err)
		}
	}
	if r := h.room(channel); r != nil { // else its only connection was closed as too slow
		r.wait()
	}
}

// TestStatsAddUp compares the figures with what was published and written, also after
// connections have ended.
func TestStatsAddUp(t *testing.T) {
	h, _ := newTestHub(t, Settings{})
	ws, sse := Kind{"websocket", "native"}, Kind{"sse", "native"}
	var wires []*wire
	var conns []*Conn
	for i := range 6 {
		w, kind := newWire(), ws
		if i == 0 {
			kind = sse
		}
		var to Transport = w // writes in a goroutine of its own
		if i%2 == 0 {
			to = &tryWire{w, 0}
		}
		c, err := h.Connect(ConnOptions{Transport: to, Encoder: lines, Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		subscribe(t, h, c, "a", SubscribeOptions{})
		wires, conns = append(wires, w), append(conns, c)
	}
	subscribe(t, h, conns[1], "b", SubscribeOptions{})
	publishMany(t, h, "a", 10)
	publishMany(t, h, "b", 5)
	for _, c := range conns {
		for !c.isIdle() {
			runtime.Gosched()
		}
	}
	check := func(connections int) {
		t.Helper()
		s := h.ConnStats()
		if got := s.Kinds[sse]; got.Messages != 10 || got.Bytes != uint64(len(wires[0].text())) || got.Connections != 1 {
			t.Errorf("event stream: %+v, %d bytes written", got, len(wires[0].text()))
		}
		bytes := 0
		for _, w := range wires[1:] {
			bytes += len(w.text())
		}
		if got := s.Kinds[ws]; got.Messages != 55 || got.Bytes != uint64(bytes) || got.Connections != connections {
			t.Errorf("WebSockets: %+v, %d bytes written", got, bytes)
		}
		if got := h.Stats().Delays.Count(); got != 65 {
			t.Errorf("%d delays", got)
		}
	}
	check(5)
	if s := h.Stats(); s.Rooms != 2 || s.Subscriptions != 7 {
		t.Errorf("%d rooms, %d subscriptions", s.Rooms, s.Subscriptions)
	}
	for _, c := range conns[2:5] {
		c.Close(ReasonNormal)
	}
	for h.Conns() > 3 {
		runtime.Gosched()
	}
	for _, w := range wires[2:5] {
		for !w.isClosed() {
			runtime.Gosched()
		}
	}
	check(2)
}

func (c *Conn) isIdle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.idle()
}

// TestStatsSlow counts what the policies of rooms do to connections that do not read.
func TestStatsSlow(t *testing.T) {
	for policy, want := range map[Slow]uint64{SlowDisconnect: 1, SlowDropOldest: 6, SlowLatest: 9} {
		h, _ := newTestHub(t, Settings{QueueMessages: 4, Room: func(string) RoomOptions { return RoomOptions{Slow: policy} }})
		w := newWire()
		c := connect(t, h, w)
		subscribe(t, h, c, "a", SubscribeOptions{})
		w.stick(true)
		c.Send("stuck")
		for c.queued() > 0 {
			runtime.Gosched()
		}
		publishMany(t, h, "a", 10)
		s := h.Stats()
		for p, n := range s.Slow {
			if p == policy && n != want || p != policy && n != 0 {
				t.Errorf("policy %d: %d for %d, want %d", policy, n, p, want)
			}
		}
		if policy == SlowDropOldest && (s.Gaps[GapSlow] != 1 || h.ConnStats().Fullest != 1) {
			t.Errorf("%d gaps, %v full", s.Gaps[GapSlow], h.ConnStats().Fullest)
		}
		w.stick(false)
	}
}

package hub

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestClose(t *testing.T) {
	cases := map[string]struct {
		reason Reason
		want   []string
	}{
		"queue is written first": {ReasonRestart, []string{"stuck", "one", "close 1012"}},
		"slow: queue is dropped": {ReasonSlow, []string{"stuck", "close 4500"}},
		"lost: nothing is said":  {ReasonLost, []string{"stuck"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newTestHub(t, Settings{})
				w := newWire()
				var reasons []Reason
				c, err := h.Connect(ConnOptions{Transport: w, Encoder: lines, OnClose: func(r Reason) { reasons = append(reasons, r) }})
				if err != nil {
					t.Fatal(err)
				}
				w.stick(true)
				c.Send("stuck")
				synctest.Wait()
				c.Send("one")
				c.Close(tc.reason)
				c.Close(ReasonNormal) // the first reason wins
				c.Send("too late")
				w.stick(false)
				expect(t, w, tc.want...)
				if len(reasons) != 1 || reasons[0] != tc.reason {
					t.Errorf("OnClose got %v, want once %v", reasons, tc.reason)
				}
				if !w.isClosed() || h.Conns() != 0 {
					t.Errorf("transport closed %v, %d connections; want true, 0", w.isClosed(), h.Conns())
				}
			})
		})
	}
}

// A peer that takes nothing is given up after a while.
func TestCloseOfStuckPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		c, w := stuckConn(t, h, "h")
		c.Close(ReasonRestart)
		synctest.Wait()
		if w.isClosed() {
			t.Error("closed without a chance to write")
		}
		time.Sleep(linger + time.Millisecond)
		synctest.Wait()
		if !w.isClosed() {
			t.Errorf("still open after %v", linger)
		}
	})
}

func TestHubClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &store{log: make(map[string][]*Message), attached: make(map[string]int)}
		h, err := New(func(s Sink) (Broker, error) { b.sink = s; return b, nil })
		if err != nil {
			t.Fatal(err)
		}
		w := newWire()
		subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{})
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		expect(t, w, "close 1001")
		if _, err := h.Connect(ConnOptions{Transport: w, Encoder: lines}); !errors.Is(err, ErrClosed) {
			t.Errorf("connect after close: %v, want ErrClosed", err)
		}
		if n := b.attachments(); n != 0 {
			t.Errorf("%d attachments left", n)
		}
	})
}

func TestCloseConns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := newWire()
		connect(t, h, w)
		h.CloseConns(ReasonReplaced)
		expect(t, w, "close 4502")
		if _, err := h.Connect(ConnOptions{Transport: w, Encoder: lines}); !errors.Is(err, ErrClosed) {
			t.Errorf("connect after dismiss: %v, want ErrClosed", err)
		}
	})
}

// A peer that falls silent is found after an interval and a timeout, however short the
// timeout is beside the interval.
func TestHeartbeat(t *testing.T) {
	for _, s := range []Settings{
		{Heartbeat: 25 * time.Second, Timeout: 10 * time.Second},
		{Heartbeat: 35 * time.Second, Timeout: time.Second},
		{Heartbeat: 30 * time.Second, Timeout: 30 * time.Second},
		{Heartbeat: 5 * time.Minute, Timeout: 5 * time.Second},
		{Heartbeat: 6 * time.Minute, Timeout: 10 * time.Second},
		{Heartbeat: time.Hour, Timeout: time.Second},
	} {
		t.Run(fmt.Sprint(s.Heartbeat, s.Timeout), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { findSilent(t, s) })
		})
	}
}

func findSilent(t *testing.T, s Settings) {
	h, _ := newTestHub(t, s)
	answers := func() (*Conn, *wire) {
		w := newWire()
		c, err := h.Connect(ConnOptions{Transport: w, Encoder: lines, Answers: true})
		if err != nil {
			t.Fatal(err)
		}
		return c, w
	}
	var alive []*Conn
	var wires []*wire
	for range 2 * beatSlots {
		c, w := answers()
		alive, wires = append(alive, c), append(wires, w)
	}
	mute := newWire()
	connect(t, h, mute) // an event stream cannot answer
	dead, deadWire := answers()
	start := time.Now()
	for !deadWire.isClosed() && time.Since(start) < 10*s.Heartbeat {
		time.Sleep(s.Timeout / 2)
		for _, c := range alive {
			c.Heard()
		}
		if time.Since(start) < 5*s.Heartbeat {
			dead.Heard()
		}
	}
	synctest.Wait()
	tick := tickOf(s)
	if took := time.Since(start) - 5*s.Heartbeat; took > s.Heartbeat+s.Timeout+3*tick || !deadWire.isClosed() {
		t.Errorf("silent peer found after %v, want at most %v", took, s.Heartbeat+s.Timeout)
	}
	if h.Conns() != len(alive)+1 {
		t.Errorf("%d connections live, want %d", h.Conns(), len(alive)+1)
	}
	pings := len(wires[0].lines())
	if pings < 5 || pings > 8 {
		t.Errorf("%d pings in %v, want one each %v", pings, time.Since(start), s.Heartbeat)
	}
}

// Answers may wait unread after the process was held up, so the silence before it
// proves nothing.
func TestHeartbeatAfterAHoldUp(t *testing.T) {
	for _, s := range []Settings{
		{Heartbeat: 25 * time.Second, Timeout: 10 * time.Second},
		{Heartbeat: 5 * time.Minute, Timeout: 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			h, _ := newTestHub(t, s)
			b, s := h.beat, h.Settings()
			now := b.now()
			b.last = now - tickOf(s) - s.Timeout*3/4
			if b.beat(0); b.trust != now+s.Timeout {
				t.Errorf("%v: silence is trusted after %v", s.Heartbeat, b.trust-now)
			}
			b.last, b.trust = now-tickOf(s), 0
			if b.beat(1); b.trust != 0 {
				t.Errorf("%v: silence is not trusted after a tick on time", s.Heartbeat)
			}
		})
	}
}

// Pings are spread over the interval: no moment has more than its share.
func TestHeartbeatIsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 10 * beatSlots
		h, _ := newTestHub(t, Settings{Heartbeat: 64 * time.Second})
		wires := make([]*wire, n)
		for i := range wires {
			wires[i] = newWire()
			connect(t, h, wires[i])
		}
		before := 0
		for range 64 {
			time.Sleep(time.Second)
			synctest.Wait()
			total := 0
			for _, w := range wires {
				total += w.count()
			}
			if total-before > 2*n/64 {
				t.Fatalf("%d pings in one second, want about %d", total-before, n/64)
			}
			before = total
		}
		if before < n-n/64 || before > n {
			t.Errorf("%d pings in an interval, want %d", before, n)
		}
	})
}

// A process that was suspended must not take its peers for dead.
func TestSilentAfterSuspension(t *testing.T) {
	cases := map[string]struct {
		heard, asked, now time.Duration
		want              bool
	}{
		"answered":             {heard: 5 * time.Second, asked: 4 * time.Second, now: 14 * time.Second},
		"not yet due":          {heard: 1 * time.Second, asked: 4 * time.Second, now: 8 * time.Second},
		"due":                  {heard: 1 * time.Second, asked: 4 * time.Second, now: 14 * time.Second, want: true},
		"connected after ping": {heard: 6 * time.Second, asked: 4 * time.Second, now: 14 * time.Second},
	}
	for name, tc := range cases {
		s := Settings{}.withDefaults()
		if got := silent(tc.heard, tc.asked, tc.now, s); got != tc.want {
			t.Errorf("%s: silent %v, want %v", name, got, tc.want)
		}
	}
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		wires := make([]*wire, 40)
		for i := range wires {
			wires[i] = newWire()
			connect(t, h, wires[i])
		}
		start := time.Now()
		go h.Drain(context.Background(), DrainPlan{Window: 2 * time.Second})
		time.Sleep(time.Second)
		if n := h.Conns(); n < 10 || n > 30 {
			t.Errorf("%d of 40 connections in the middle of the drain, want about half", n)
		}
		if _, err := h.Connect(ConnOptions{Transport: newWire(), Encoder: lines}); !errors.Is(err, ErrClosed) {
			t.Errorf("connect while draining: %v, want ErrClosed", err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if h.Conns() != 0 {
			t.Errorf("%d connections left after %v", h.Conns(), time.Since(start))
		}
		expect(t, wires[0], "reconnect", "close 1012")
	})
}

func TestReturnWindow(t *testing.T) {
	cases := []struct {
		n      int
		window time.Duration
		want   time.Duration
	}{
		{0, 0, time.Second},
		{100, 5 * time.Second, 5 * time.Second},
		{9000, 5 * time.Second, 30 * time.Second},
	}
	for _, tc := range cases {
		if got := returnWindow(tc.n, tc.window); got != tc.want {
			t.Errorf("returnWindow(%d, %v) = %v, want %v", tc.n, tc.window, got, tc.want)
		}
	}
}

func TestShare(t *testing.T) {
	s := []int{1, 2, 3, 4, 5, 6, 7}
	var got []int
	for step := range 3 {
		got = append(got, share(s, step, 3)...)
	}
	if fmt.Sprint(got) != fmt.Sprint(s) {
		t.Errorf("shares add up to %v, want %v", got, s)
	}
}

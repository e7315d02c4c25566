package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A room takes what fills it to its bound, and nothing beyond. An empty one takes anything. The same holds for all
// rooms together.
func TestRoomIsFilledToItsBound(t *testing.T) {
	h, _ := newTestHub(t, Settings{})
	for name, c := range map[string]struct {
		load, reserved, weight int
		all                    int64
		fits                   bool
	}{
		"empty":                {0, 0, 9 * maxPending, 9 * maxAllPending, true},
		"just full":            {maxPending / 2, maxPending / 4, maxPending / 4, 0, true},
		"a byte too much":      {maxPending / 2, maxPending / 4, maxPending/4 + 1, 0, false},
		"all rooms, just full": {1, 0, minWeight, maxAllPending - minWeight, true},
		"all rooms, too much":  {1, 0, minWeight, maxAllPending - minWeight + 1, false},
	} {
		r := &room{hub: h, load: c.load, reserved: c.reserved}
		h.pending.Store(c.all)
		if got := r.fits(c.weight); got != c.fits {
			t.Errorf("%s: fits %v", name, got)
		}
	}
	m := &Message{Content: make([]byte, 3<<10), Tags: make([]byte, 1<<10)}
	w := weightOf(m)
	if w != 4<<10+eventSize("") || eventSize(sized(100)) != 100+eventSize("") {
		t.Errorf("a message of 4 KiB weighs %d", w)
	}
	for name, c := range map[string]struct {
		load  int
		all   int64
		taken bool
	}{
		"empty":                {0, 9 * maxAllFlood, true},
		"just full":            {maxFlood - w, 0, true},
		"a byte too much":      {maxFlood - w + 1, 0, false},
		"all rooms, just full": {1, maxAllFlood - int64(w), true},
		"all rooms, too much":  {1, maxAllFlood - int64(w) + 1, false},
	} {
		r := &room{hub: h, load: c.load}
		h.pending.Store(c.all)
		r.appendPending(m, Position{Epoch: "e", Offset: 1})
		if _, gap := r.pending[0].(Gap); gap == c.taken || len(r.pending) != 1 {
			t.Errorf("a flood, %s: %v", name, r.pending)
		}
	}
	h.pending.Store(0)
}

type sized int

func (s sized) Size() int { return int(s) }

// Gaps take one place with a position, and one without, however many there are.
func TestGapsTakeTwoPlaces(t *testing.T) {
	h, _ := newTestHub(t, Settings{})
	r := &room{hub: h, channel: "a"}
	defer func() { r.addWeight(-r.load) }()
	for i := range uint64(3) {
		r.appendGap(Position{Epoch: "e", Offset: i + 1}, GapLost)
		r.appendGap(Position{}, GapBehind)
	}
	if want := []Event{Gap{"a", Position{Epoch: "e", Offset: 3}}, Gap{"a", Position{}}}; !slices.Equal(r.pending, want) {
		t.Errorf("pending: %v", r.pending)
	}
	r.pending = append(r.pending, "news")
	r.appendGap(Position{Epoch: "e", Offset: 9}, GapLost)
	if len(r.pending) != 4 {
		t.Errorf("a gap passes an event: %v", r.pending)
	}
}

// A batch is as large as one write may be. A single event may be larger.
func TestBatchIsFilledToItsBound(t *testing.T) {
	of := func(sizes ...int) *room {
		r := new(room)
		for _, n := range sizes {
			r.pending = append(r.pending, &Message{Content: make([]byte, n-eventSize(""))})
		}
		return r
	}
	for name, c := range map[string]struct {
		sizes []int
		want  int
	}{
		"nothing":         {nil, 0},
		"just full":       {[]int{batchBytes - 100, 100}, 2},
		"a byte too much": {[]int{batchBytes - 100, 101}, 1},
		"a large one":     {[]int{2 * batchBytes, 100}, 1},
		"many":            {slices.Repeat([]int{100}, batchEvents+1), batchEvents},
	} {
		n, weight := of(c.sizes...).batchSize()
		want := 0
		for _, size := range c.sizes[:c.want] {
			want += max(size, minWeight)
		}
		if n != c.want || weight != want {
			t.Errorf("%s: %d events of weight %d, want %d of %d", name, n, weight, c.want, want)
		}
	}
}

// What is held back for a new subscription has two bounds. The newest event always stays.
func TestHeldIsFilledToItsBounds(t *testing.T) {
	event := func(n int) Event { return &Message{Content: make([]byte, n-eventSize(""))} }
	for name, c := range map[string]struct {
		sizes           []int
		events, bytes   int
		left, leftBytes int
	}{
		"just full":             {[]int{100, 100}, 2, 200, 2, 200},
		"one event too many":    {[]int{100, 100, 100}, 2, 300, 2, 200},
		"a byte too many":       {[]int{100, 101}, 2, 200, 1, 101},
		"one that is too large": {[]int{100, 500}, 2, 200, 1, 500},
		"only one":              {[]int{500}, 0, 0, 1, 500},
	} {
		h := new(held)
		for _, n := range c.sizes {
			h.hold([]Event{event(n)}, c.events, c.bytes)
		}
		if len(h.events) != c.left || h.bytes != c.leftBytes || h.dropped != (c.left < len(c.sizes)) {
			t.Errorf("%s: %d events, %d bytes, dropped %v", name, len(h.events), h.bytes, h.dropped)
		}
	}
}

// A replay of exactly half of the queue is sent, and a larger one is not.
func TestReplayIsHalfOfAQueue(t *testing.T) {
	h, _ := newTestHub(t, Settings{QueueBytes: 1000})
	for size, want := range map[int]bool{499: true, 500: true, 501: false} {
		if got := h.replayable([]*Message{{Content: make([]byte, 100)}, {Content: make([]byte, size-100-2*eventSize(""))}}); got != want {
			t.Errorf("%d bytes: %v", size, got)
		}
	}
}

// A replay waits while more than half of the queue's bytes wait for the client.
func TestReplayWaitsForHalfOfAQueue(t *testing.T) {
	for size, waits := range map[int]bool{500: false, 501: true} {
		synctest.Test(t, func(t *testing.T) {
			h, _ := newTestHub(t, Settings{QueueBytes: 1000})
			c, w := stuckConn(t, h)
			c.Send(strings.Repeat("x", size-len("\n")))
			waited := false
			subscribe(t, h, c, "h", SubscribeOptions{Waits: func() { waited = true; w.stick(false) }})
			if waited != waits {
				t.Errorf("%d bytes wait, and the replay waited: %v", size, waited)
			}
			w.stick(false)
		})
	}
}

// A write that is as large as it should be takes no further frame. A smaller one does.
func TestWriteIsFilledToItsBound(t *testing.T) {
	for size, writes := range map[int]int{maxWrite - 1: 2, maxWrite: 3} {
		synctest.Test(t, func(t *testing.T) {
			h, _ := newTestHub(t, Settings{})
			c, w := stuckConn(t, h)
			for _, n := range []int{100, size - 100, 10} {
				c.Send(strings.Repeat("x", n-len("\n")))
			}
			w.stick(false)
			synctest.Wait()
			if got, want := len(w.text()), len("stuck\n")+size+10; w.count() != writes || got != want {
				t.Errorf("%d bytes and ten: %d writes, want %d; %d bytes, want %d", size, w.count(), writes, got, want)
			}
		})
	}
}

// More of the history is read than the client wants only where some of it may be left out.
func TestWhatASubscriptionReads(t *testing.T) {
	at := &Position{Epoch: "e", Offset: 1}
	for _, c := range []struct {
		o    SubscribeOptions
		want HistoryQuery
	}{
		{SubscribeOptions{}, HistoryQuery{}},
		{SubscribeOptions{Selector: odd{}}, HistoryQuery{}},
		{SubscribeOptions{History: 3}, HistoryQuery{Limit: 3}},
		{SubscribeOptions{History: 2 * maxRecover}, HistoryQuery{Limit: maxRecover}},
		{SubscribeOptions{History: 3, Selector: odd{}}, HistoryQuery{Limit: maxRecover}},
		{SubscribeOptions{Recover: at}, HistoryQuery{Since: at, Limit: maxRecover}},
	} {
		if got := c.o.query(); got != c.want {
			t.Errorf("%+v: %+v", c.o, got)
		}
	}
}

// Rooms are listed up to the limit, and more is said only if there are more.
func TestRoomsUpToTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		c := connect(t, h, newWire())
		for i := range 3 {
			subscribe(t, h, c, fmt.Sprint("r", i), SubscribeOptions{})
		}
		for limit, want := range []int{0, 1, 2, 3, 3} {
			if page, more := h.Rooms("", "", limit); len(page) != want || more != (limit < 3) {
				t.Errorf("limit %d: %d rooms, more %v", limit, len(page), more)
			}
		}
	})
}

// An idle room keeps places for a few events, and no more.
func TestIdleRoomKeepsFewPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		subscribe(t, h, connect(t, h, newWire()), "a", SubscribeOptions{})
		r := h.room("a")
		for n, want := range map[int]bool{1: true, keptEvents: true, 4 * keptEvents: false} {
			ms := make([]*Message, n)
			for i := range ms {
				ms[i] = &Message{Channel: "a"}
			}
			h.Broadcast("a", ms...)
			synctest.Wait()
			r.mu.Lock()
			if kept := cap(r.pending); (kept > 0) != want || kept > keptEvents {
				t.Errorf("%d places are kept after %d events", kept, n)
			}
			r.mu.Unlock()
		}
	})
}

// The figures of the times to delivery have the bounds that are documented.
func TestBoundsOfDelays(t *testing.T) {
	h, _ := newTestHub(t, Settings{})
	var got []string
	for _, d := range h.Stats().Delays.Bounds {
		got = append(got, d.String())
	}
	if want := "50µs 100µs 250µs 500µs 1ms 2.5ms 5ms 10ms 25ms 50ms 100ms 250ms 1s 5s"; strings.Join(got, " ") != want {
		t.Errorf("%v", got)
	}
}

// A drain closes nothing before its lead is over. The moments of the clients lie within one step of each other.
func TestDrainIsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		start, closed := time.Now(), []time.Duration(nil)
		const n = 40
		for range n {
			c := connect(t, h, newWire())
			subscribe(t, h, c, "a", SubscribeOptions{})
		}
		p := DrainPlan{Window: 3 * time.Second, Lead: time.Second, Closed: func() { closed = append(closed, time.Since(start)) }}
		if err := h.Drain(context.Background(), p); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		if len(closed) != n || closed[0] < p.Lead || closed[n-1] >= p.Window {
			t.Errorf("%d are closed, from %v to %v", len(closed), closed[0], closed[len(closed)-1])
		}
		if took != p.Window-drainInterval {
			t.Errorf("the drain took %v", took)
		}
	})
}

// Within one step each client gets a moment of its own, before the next step.
func TestDrainWithinAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		var moments []time.Duration
		enc := &moment{seen: &moments}
		var group []*Conn
		for range 4 {
			c, err := h.Connect(ConnOptions{Transport: newWire(), Encoder: enc})
			if err != nil {
				t.Fatal(err)
			}
			group = append(group, c)
		}
		new(DrainPlan).closeGroup(group, len(group))
		if want := []time.Duration{0, drainInterval / 4, drainInterval / 2, drainInterval * 3 / 4}; !slices.Equal(moments, want) {
			t.Errorf("%v", moments)
		}
	})
}

// moment is an encoder that notes when clients are to come back.
type moment struct {
	line
	seen *[]time.Duration
}

func (e *moment) AppendEvent(dst []byte, ev Event) []byte {
	if r, ok := ev.(Reconnect); ok {
		*e.seen = append(*e.seen, r.After)
	}
	return e.line.AppendEvent(dst, ev)
}

// A client is silent if it was not heard for the timeout after its ping, to the accuracy of a tick.
func TestSilence(t *testing.T) {
	s := Settings{Heartbeat: beatSlots * time.Second, Timeout: 10 * time.Second}
	if got := lag(s); got != 10 {
		t.Errorf("a timeout of ten ticks ends after %d", got)
	}
	s.Timeout++
	if got := lag(s); got != 11 {
		t.Errorf("a little more ends after %d", got)
	}
	s.Timeout = 10 * time.Second
	const asked = 100 * time.Second
	for _, c := range []struct {
		heard, now time.Duration
		want       bool
	}{
		{asked - 1, asked + 9*time.Second, true},
		{asked - 1, asked + 9*time.Second - 1, false},
		{asked, asked + 20*time.Second, false},
		{asked + 1, asked + 20*time.Second, false},
	} {
		if got := silent(c.heard, asked, c.now, s); got != c.want {
			t.Errorf("heard at %v, now %v: %v", c.heard, c.now, got)
		}
	}
}

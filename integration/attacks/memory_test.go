package attacks

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// attackMemory make the server remember as much as they can. The rooms of the site
// `many` may remember 4 MiB.
func attackMemory(w *world) []attack {
	return []attack{
		{"30,000 channels of 1 KiB each, by batches", "memory flat", func(t *testing.T) string {
			return remember(t, w, func() { fillChannels(t, w.many, 30_000) })
		}},
		{"30,000 idempotency keys in one channel", "memory flat", func(t *testing.T) string {
			w.gauge.allow(bounds{cpu: 3 * time.Second}) // 40 µs for each message, keys or not
			return remember(t, w, func() { fillKeys(t, w.many, 30_000) })
		}},
		{"20,000 channels entered and left", "memory flat, no room left over", func(t *testing.T) string {
			w.gauge.allow(bounds{cpu: 3 * time.Second}) // 30 µs for each command
			happened := remember(t, w, func() { enterAndLeave(t, w.many, 20_000) })
			if n := w.many.channels(t); n > 0 {
				return fmt.Sprintf("%d rooms are left over", n)
			}
			return strings.Replace(happened, "flat", "flat, no room left over", 1)
		}},
		{"10 requests for a history of 12 MiB that take nothing of it", "memory flat", func(t *testing.T) string {
			w.gauge.allow(bounds{peak: 96 << 20, kept: 96 << 20, cpu: 3 * time.Second})
			fillHistory(t, w.long, 200)
			return remember(t, w, func() { readNothing(t, w.long, 10) })
		}},
		{"a client that reads no answer", "memory flat, the client is closed", func(t *testing.T) string {
			w.gauge.allow(bounds{peak: 96 << 20, kept: 96 << 20, cpu: 6 * time.Second}) // it asks for gigabytes
			return strings.Replace(remember(t, w, func() { neverRead(t, w.long) }), "flat", "flat, the client is closed", 1)
		}},
	}
}

// inUse is how much memory of this process is in use after a collection.
func inUse() uint64 {
	return settled(func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	})
}

// inUse is how much memory of the server is in use after a collection.
func (admin target) inUse(t *testing.T) uint64 {
	return settled(func() uint64 { return admin.heap(t, "HeapAlloc") })
}

// allocated is how much memory the server has ever allocated.
func (admin target) allocated(t *testing.T) uint64 { return admin.heap(t, "TotalAlloc") }

// heap has the server collect what is not used any more and gives a figure of its
// heap.
func (admin target) heap(t *testing.T, name string) uint64 {
	t.Helper()
	a := admin.send(t, request{"GET", "/debug/pprof/heap?gc=1&debug=1", []string{"Connection: close"}, ""})
	_, after, _ := strings.Cut(a.body, "\n# "+name+" = ")
	figure, _, _ := strings.Cut(after, "\n")
	n, err := strconv.ParseUint(figure, 10, 64)
	if err != nil {
		t.Fatal(a, err)
	}
	return n
}

// settled gives a measure of memory when nothing is being given back any more:
// connections of an earlier attack take a moment to end.
func settled(measure func() uint64) uint64 {
	last, still := uint64(math.MaxUint64), 0
	until(func() bool {
		n := measure()
		if still++; n+256<<10 < last {
			still = 0
		}
		last = min(last, n)
		return still == 5
	})
	return last
}

// until waits for something, and gives up at last.
func until(is func() bool) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !is(); <-tick.C {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// remember gives what is more in use after an attack.
func remember(t *testing.T, w *world, attack func()) string {
	before := w.admin.inUse(t)
	attack()
	growth := int64(w.admin.inUse(t)) - int64(before)
	if growth > 4<<20+maxGrowth {
		return fmt.Sprintf("%d KiB more in use", growth>>10)
	}
	return fmt.Sprintf("memory flat (%+d KiB)", growth>>10)
}

// fillChannels publishes to n channels, with 10,000 in each request.
func fillChannels(t *testing.T, s target, n int) {
	for first := 0; first < n; first += 10_000 {
		var items []string
		for i := first; i < first+10_000; i += 100 {
			var names []string
			for k := range 100 {
				names = append(names, fmt.Sprintf(`"open:%d"`, i+k))
			}
			items = append(items, `{"channels":[`+strings.Join(names, ",")+`],"content":"`+strings.Repeat("x", 1024)+`"}`)
		}
		if a := s.send(t, request{"POST", "/rt/publish", []string{jsonType}, "[" + strings.Join(items, ",") + "]"}); a.status != 200 {
			t.Fatal(a, a.body)
		}
	}
}

// fillKeys publishes with a key that was never used before, again and again.
func fillKeys(t *testing.T, s target, n int) {
	for first := 0; first < n; first += 100 {
		var items []string
		for i := range 100 {
			items = append(items, fmt.Sprintf(`{"channels":["open:keys"],"content":1,"key":"%064d"}`, first+i))
		}
		if a := s.send(t, request{"POST", "/rt/publish", []string{jsonType}, "[" + strings.Join(items, ",") + "]"}); a.status != 200 {
			t.Fatal(a, a.body)
		}
	}
}

// enterAndLeave goes through n channels.
func enterAndLeave(t *testing.T, s target, n int) {
	c := s.connect(t)
	go func() {
		for i := range n {
			one := fmt.Sprintf(`"payload":{"channel":"open:e%d"}}`, i)
			b := append(frame(headText, `{"type":"subscribe",`+one), frame(headText, `{"type":"unsubscribe",`+one)...)
			if _, err := c.conn.Write(b); err != nil {
				return
			}
		}
	}()
	for range 2 * n {
		ev, err := c.next()
		if err != nil || ev.Type == "error" {
			t.Fatal(ev, err)
		}
	}
}

// fillHistory publishes n messages of 64 KiB to one channel.
func fillHistory(t *testing.T, s target, n int) {
	body := `{"content":"` + strings.Repeat("x", 64<<10-2) + `"}`
	for range n {
		if a := s.send(t, post("open:long", body, jsonType)); a.status != 200 {
			t.Fatal(a, a.body)
		}
	}
}

// readNothing asks for the whole history on n connections, and waits until each has
// been answered with a first byte. What is in use is measured while all of them
// hold what they were given.
func readNothing(t *testing.T, s target, n int) {
	for range n {
		conn := s.dial(t)
		text := request{"GET", "/rt/channels/open:long/messages?limit=1000", nil, ""}.text(string(s))
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
}

// neverRead sends commands whose answers are large, until it is thrown out.
func neverRead(t *testing.T, s target) {
	c := s.connect(t)
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
	command := frame(headText, `{"type":"history","payload":{"channel":"open:long","limit":1000}}`)
	for {
		if _, err := c.conn.Write(command); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("the client is not thrown out")
		} else if err != nil {
			return
		}
	}
}

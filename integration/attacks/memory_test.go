package attacks

import (
	"fmt"
	"strings"
	"testing"
)

// attackMemory make the server remember as much as they can. The rooms of the site
// `many` may remember 4 MiB.
func attackMemory(w *world) []attack {
	return []attack{
		{"30,000 channels of 1 KiB each, by batches", "memory flat", func(t *testing.T) string {
			return remember(t, func() { fillChannels(t, w.many, 30_000) })
		}},
		{"30,000 idempotency keys in one channel", "memory flat", func(t *testing.T) string {
			return remember(t, func() { fillKeys(t, w.many, 30_000) })
		}},
		{"20,000 channels entered and left", "memory flat, no room left over", func(t *testing.T) string {
			happened := remember(t, func() { enterAndLeave(t, w.many, 20_000) })
			if n := w.many.channels(t); n > 0 {
				return fmt.Sprintf("%d rooms are left over", n)
			}
			return strings.Replace(happened, "flat", "flat, no room left over", 1)
		}},
	}
}

// remember gives what is more in use after an attack.
func remember(t *testing.T, attack func()) string {
	before := inUse()
	attack()
	growth := int64(inUse()) - int64(before)
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
			items = append(items, fmt.Sprintf(`{"channels":["open:keys"],"content":1,"id":"%064d"}`, first+i))
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

package attacks

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// attackHTTP have the server hold what they send and do not finish, or ask for and do not
// take, and make it read what is of no use.
func attackHTTP(w *world) []attack {
	bodies := sized(400, 1000) // the server may hold 160
	return []attack{
		{"1,000 HTTP/2 streams that take nothing of a history of 12 MiB", "bounded, and others are served", func(t *testing.T) string {
			w.gauge.allow(bounds{peak: 96 << 20, kept: 96 << 20, cpu: 3 * time.Second}) // it asks for 500 MB, and may hold 32
			fillHistory(t, w.long, 200)
			return takeNothing(t, w.long, w.admin)
		}},
		{fmt.Sprint(bodies, " bodies of 200 KiB that never end"), "bounded, others are served, the rest RATE_LIMITED", func(t *testing.T) string {
			w.gauge.allow(bounds{peak: 160 << 20, kept: 160 << 20, cpu: time.Duration(bodies) * 6 * time.Millisecond})
			return neverEnd(t, w.long, w.admin, bodies)
		}},
		{"200 batches of 1 MiB of zeros, by one who may publish nowhere", "FORBIDDEN, then RATE_LIMITED, cheap", func(t *testing.T) string {
			w.gauge.allow(bounds{cpu: 4 * time.Second}) // judged by what a batch costs
			return zeros(t, w, w.charged, 200, "FORBIDDEN")
		}},
		{"200 batches of 1 MiB of zeros, by one who may publish", "TOO_LARGE, cheap", func(t *testing.T) string {
			w.gauge.allow(bounds{cpu: 4 * time.Second}) // judged by what a batch costs
			return zeros(t, w, w.long, 200, "TOO_LARGE")
		}},
	}
}

// neverEnd sends the beginning of many bodies, and holds them.
func neverEnd(t *testing.T, s, admin target, n int) string {
	before := admin.inUse(t)
	conns := make([]net.Conn, n)
	body := `[{"channels":["open:1"],"content":"` + strings.Repeat("x", 200<<10)
	head := fmt.Sprintf("POST /rt/publish HTTP/1.1\r\nHost: %s\r\n%s\r\nContent-Length: 1000000\r\n\r\n", s, jsonType)
	text := []byte(head + body) // once for all, so that this process takes less of the processors
	for i := range conns {
		conns[i] = s.dial(t)
		go func() { _, _ = conns[i].Write(text) }() // it may be refused meanwhile
	}
	refused := false
	until(func() bool {
		for _, conn := range conns {
			head := make([]byte, 2048)
			_ = conn.SetReadDeadline(time.Now().Add(100 * time.Microsecond))
			n, _ := conn.Read(head) // nothing is there yet if this fails
			refused = refused || strings.Contains(string(head[:n]), `"RATE_LIMITED"`)
		}
		return refused
	})
	growth := int64(admin.heap(t, "HeapAlloc")-before) >> 20
	if e := s.othersAreServed(t); e != "" {
		return e
	}
	switch {
	case !refused:
		return fmt.Sprintf("none is refused (%+d MiB)", growth)
	case growth > 64:
		return fmt.Sprintf("%d MiB more in use", growth)
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
	return fmt.Sprintf("bounded, others are served, the rest RATE_LIMITED (%+d MiB)", growth)
}

// zeros sends batches of many items, and measures what they cost the server.
func zeros(t *testing.T, w *world, s target, n int, first string) string {
	r := request{"POST", "/rt/publish", []string{jsonType}, "[0" + strings.Repeat(",0", 1<<19-1) + "]"}
	before, got := w.admin.allocated(t), make(map[string]int)
	begin, err := cpuTime(w.gauge.server.PID())
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		conn := s.dial(t)
		_, _ = io.WriteString(conn, r.text(string(s))[:300<<10]) // the server waits for 256 KiB of it, and throws them away
		a, err := exchange(conn, "")
		_ = conn.Close()
		if err != nil {
			return fmt.Sprint(a, a.header, a.body, " ", err)
		}
		got[a.code()]++
	}
	end, err := cpuTime(w.gauge.server.PID())
	if err != nil {
		t.Fatal(err)
	}
	took := (end - begin) / time.Duration(n)
	each := (w.admin.allocated(t) - before) / uint64(n)
	figures := fmt.Sprintf("(%v of a processor and %d KiB each, %v)", took.Round(time.Microsecond), each>>10, got)
	switch {
	case took > 20*time.Millisecond || each > 4<<20:
		return "dear " + figures
	case len(got) == 1 && got[first] == n:
		return first + ", cheap " + figures
	case len(got) == 2 && got[first] >= 40 && got["RATE_LIMITED"] > 0:
		return first + ", then RATE_LIMITED, cheap " + figures
	}
	return fmt.Sprint(got)
}

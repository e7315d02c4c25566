package session

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// drain is a transport whose writes cost a system call, like those to a socket.
type drain struct {
	file   *os.File
	writes atomic.Int64
}

func (d *drain) Write(p []byte) error { _, err := d.TryWrite(p); return err }
func (d *drain) Close()               {}
func (d *drain) TryWrite(p []byte) (int, error) {
	defer d.writes.Add(1)
	return d.file.Write(p)
}

// BenchmarkFilters is a message to 1,000 subscribers with ten distinct filters, or with none.
func BenchmarkFilters(b *testing.B) {
	for _, c := range []struct{ name, expression string }{
		{"none", ""},
		{"all_pass", `tags.team == "red" && tags.level != %d`},
		{"one_in_ten_passes", `tags.team == "red" && tags.level == %d`},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkFilters(b, c.expression) })
	}
}

func benchmarkFilters(b *testing.B, expression string) {
	const members = 1000
	room := kept("a", 100)
	room.Subscribe = policy.Anyone
	w := newWorld(b, Limits{}, room)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = null.Close() })
	var last *drain // without a filter: it is served when all others are
	for i := range members + 1 {
		last = &drain{file: null}
		s, e := w.registry.Open(nil, Options{Transport: last, Encoder: native})
		if e != nil {
			b.Fatal(e)
		}
		q := protocol.Subscribe{Channel: "a"}
		if expression != "" && i < members {
			text := fmt.Sprintf(expression, i%10)
			q.Filter = &text
		}
		if e := s.Subscribe(context.Background(), q, SubscribeOptions{}); e != nil {
			b.Fatal(e)
		}
	}
	content := []byte(`{"order":4711,"text":"0123456789012345678901234567890123456789012345678901234567890123456789"}`)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		// 10 to 19 for all_pass, where no filter excludes them; 0 to 9 otherwise.
		level := n % 10
		if expression == `tags.team == "red" && tags.level != %d` {
			level += 10
		}
		n++
		before := last.writes.Load()
		m := protocol.Publish{Channel: "a", Content: content, Tags: fmt.Appendf(nil, `{"team":"red","level":%d}`, level)}
		if _, e := w.registry.Publishing.Publish(context.Background(), Caller{App: true}, m); e != nil {
			b.Fatal(e)
		}
		for last.writes.Load() == before {
			runtime.Gosched()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/subscriber")
}

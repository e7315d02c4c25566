//go:build unix

package session

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// counter is a transport that counts what it takes.
type counter struct{ writes, bytes *atomic.Int64 }

func (c counter) Write(p []byte) error { _, err := c.TryWrite(p); return err }

func (c counter) TryWrite(p []byte) (int, error) {
	c.writes.Add(1)
	c.bytes.Add(int64(len(p)))
	return len(p), nil
}

func (counter) Close() {}

// BenchmarkJoinRoom lets all members of a room with presence join at once. What a member costs must
// not grow with the number of members. The time has the opening and the end of the sessions.
func BenchmarkJoinRoom(b *testing.B) {
	for _, members := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			var writes, bytes atomic.Int64
			began := processorTime(b)
			for b.Loop() {
				joinRoom(b, members, counter{&writes, &bytes})
			}
			joins := float64(b.N * members)
			b.ReportMetric(float64((processorTime(b)-began).Microseconds())/joins, "CPU-µs/join")
			b.ReportMetric(float64(writes.Load())/joins, "writes/join")
			b.ReportMetric(float64(bytes.Load())/joins, "bytes/join")
		})
	}
}

// joinRoom returns when the last member was announced.
func joinRoom(b *testing.B, members int, c counter) {
	room := open("crowd")[0]
	room.Members = new(presence.Options)
	w := newWorld(b, Limits{}, room)
	withMembers(b, w)
	all := make([]*Session, members)
	for i := range all {
		s, e := w.registry.Open(named(fmt.Sprint("user", i)), Options{Transport: c, Encoder: native, Dialect: dialect})
		if e != nil {
			b.Fatal(e)
		}
		all[i] = s
	}
	for _, s := range all {
		s.Receive([]byte(subscribeTo("crowd")), false)
	}
	time.Sleep(2 * presence.Window(members))
	for _, s := range all {
		s.Conn().Close(hub.ReasonNormal)
	}
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

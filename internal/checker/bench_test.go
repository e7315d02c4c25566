package checker

import (
	"runtime"
	"testing"
	"time"
)

const benchSubscribers, benchMessages = 200, 100_000

// BenchmarkRun records and checks a whole run of 200 subscribers with 100,000
// messages each.
func BenchmarkRun(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		c := New(Options{})
		s := scene{c: c, p: c.Publisher("publisher")}
		s.acked(1, benchMessages)
		names := make([]string, benchMessages+1)
		for o := range uint64(benchMessages + 1) {
			names[o] = name(o)
		}
		for range benchSubscribers {
			s := c.Subscriber("subscriber")
			s.Subscribed(room, at(0), false)
			for o := uint64(1); o <= benchMessages; o++ {
				s.Message(room, at(o), names[o])
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(benchSubscribers*benchMessages), "heapB/delivery")
		b.ReportMetric(benchSubscribers*benchMessages, "deliveries/op")
		start := time.Now()
		if r := c.Check(); !r.OK() {
			b.Fatal(r)
		}
		b.ReportMetric(time.Since(start).Seconds(), "check-s")
	}
}

func BenchmarkMessage(b *testing.B) {
	c := New(Options{})
	s := c.Subscriber("subscriber")
	s.Subscribed(room, at(0), false)
	b.ReportAllocs()
	for o := uint64(1); b.Loop(); o++ {
		s.Message(room, at(o), "the id of a message")
	}
}

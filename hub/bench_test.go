package hub

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// sink is a Transport that takes everything at once.
type sinkWire struct{}

func (sinkWire) Write([]byte) error             { return nil }
func (sinkWire) Close()                         {}
func (sinkWire) TryWrite(p []byte) (int, error) { return len(p), nil }

// BenchmarkPublish is the path from Publish to the transport, without the cost of
// a store, an encoder or a socket.
func BenchmarkPublish(b *testing.B) {
	for _, members := range []int{1, 1000, 10000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			h, _ := newTestHub(b, Settings{})
			for range members {
				subscribe(b, h, connect(b, h, sinkWire{}), "room", SubscribeOptions{})
			}
			content := []byte(`"hello"`)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.Publish(context.Background(), &Message{Channel: "room", Content: content}, ""); err != nil {
					b.Fatal(err)
				}
				h.room("room").wait()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/delivery")
		})
	}
}

// wait returns when everything pending has been broadcast.
func (r *room) wait() {
	for r.busy() {
	}
}

func (r *room) busy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.draining
}

func BenchmarkConnectSubscribe(b *testing.B) {
	h, _ := newTestHub(b, Settings{})
	b.ReportAllocs()
	for b.Loop() {
		c := connect(b, h, sinkWire{})
		subscribe(b, h, c, "room", SubscribeOptions{})
		c.Close(ReasonNormal)
	}
}

// BenchmarkStuck is what a reader costs that has been stuck for a number of messages,
// for each further one: the same, however many were dropped.
func BenchmarkStuck(b *testing.B) {
	for name, slow := range map[string]Slow{"drop_oldest": SlowDropOldest, "latest": SlowLatest} {
		for _, dropped := range []int{0, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/dropped=%d", name, dropped), func(b *testing.B) {
				c, s, batch := stuckFor(b, slow, dropped)
				for b.Loop() {
					c.deliver(s, batch)
				}
			})
		}
	}
}

// stuckFor is a subscription whose connection has been stuck for some messages.
func stuckFor(t testing.TB, slow Slow, messages int) (*Conn, *subscription, *batch) {
	room := func(string) RoomOptions { return RoomOptions{Slow: slow} }
	h, _ := newTestHub(t, Settings{Room: room, Heartbeat: time.Hour}) // a ping would change the queue
	w := newWire()
	t.Cleanup(func() { w.stick(false) })
	c := connect(t, h, w)
	subscribe(t, h, c, "other", SubscribeOptions{})
	subscribe(t, h, c, "room", SubscribeOptions{})
	w.stick(true)
	c.Send("stuck")
	for c.queued() > 0 {
		runtime.Gosched()
	}
	b := newBatch([]Event{&Message{Channel: "room", Content: []byte("x")}}, slow)
	for range messages + 1000 {
		c.deliver(c.subs[1], &b)
	}
	return c, c.subs[1], &b
}

func (c *Conn) queued() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.bytes
}

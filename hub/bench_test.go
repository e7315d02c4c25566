package hub

import (
	"context"
	"fmt"
	"testing"
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

package hub

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// A fence is passed behind what was published before it, and does not wait for what comes later.
func TestFence(t *testing.T) {
	for name, make := range transports() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
				tr, w := make()
				c := connect(t, h, tr)
				subscribe(t, h, c, "h", SubscribeOptions{})
				if err := h.Fence(t.Context(), "nobody is here"); err != nil {
					t.Error(err)
				}
				if err := h.Fence(t.Context(), "h"); err != nil {
					t.Error("an idle room:", err)
				}
				r := h.room("h")
				if r.appendFence(&fence{}) {
					t.Error("an idle room takes a fence")
				}
				r.mu.Lock() // as if a publisher had claimed the drain
				r.draining = true
				r.mu.Unlock()
				var want []string
				before := func(n int) {
					for i := range n {
						text := fmt.Sprint(len(want), i)
						r.broadcast([]*Message{{Channel: "h", Content: []byte(text), Position: Position{Epoch: "e", Offset: uint64(len(want) + 1)}}})
						want = append(want, fmt.Sprintf("h@%d %s", len(want)+1, text))
					}
				}
				before(100) // more than a batch
				passed := [2]time.Duration{}
				start := time.Now()
				for i := range passed {
					go func() {
						if err := h.Fence(context.Background(), "h"); err != nil {
							t.Error(err)
						}
						passed[i] = time.Since(start)
					}()
					synctest.Wait()
					before(3)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := h.Fence(ctx, "h"); err != context.DeadlineExceeded {
					t.Error("nobody drains:", err)
				}
				time.Sleep(time.Second)
				r.drain()
				synctest.Wait()
				for _, took := range passed {
					if took != 2*time.Second {
						t.Errorf("passed after %v", took)
					}
				}
				expect(t, w, want...)
				if r.load != 0 || r.draining || len(r.pending) != 0 {
					t.Errorf("load %d, draining %v, %d pending", r.load, r.draining, len(r.pending))
				}
			})
		})
	}
}

// What waits for a fence goes on when a panic costs the room what is pending.
func TestFenceAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		r := &room{hub: h, channel: "h", draining: true, delays: h.shard("h").delays}
		f, g := &fence{make(chan struct{})}, &fence{make(chan struct{})}
		r.appendFence(f)
		r.broadcast([]*Message{{Channel: "h", Content: []byte("a")}})
		r.appendFence(g)
		if !r.discardPending() || len(r.pending) != 1 {
			t.Errorf("pending: %v", r.pending)
		}
		<-f.passed
		<-g.passed
	})
}

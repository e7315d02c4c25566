package hub

import (
	"context"
	"testing"
	"testing/synctest"
)

// A message does not reach the connection that it leaves out, and the next one is no hole for it.
func TestExcept(t *testing.T) {
	for name, make := range transports() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newTestHub(t, Settings{})
				tr1, w1 := make()
				tr2, w2 := make()
				c1, err := h.Connect(ConnOptions{ID: "1.2", Transport: tr1, Encoder: lines})
				if err != nil || c1.ID() != "1.2" {
					t.Fatal(c1, err)
				}
				if _, err := h.Connect(ConnOptions{ID: "1.2", Transport: tr2, Encoder: lines}); err != ErrClosed {
					t.Fatal("two connections have one id: ", err)
				}
				c2 := connect(t, h, tr2)
				for _, c := range []*Conn{c1, c2} {
					subscribe(t, h, c, "h", SubscribeOptions{})
				}
				m := &Message{Channel: "h", Content: []byte("a"), Except: c1.ID()}
				if _, err := h.Publish(context.Background(), m, ""); err != nil {
					t.Fatal(err)
				}
				publish(t, h, "h", "b")
				expect(t, w1, "h@2 b")
				expect(t, w2, "h@1 a", "h@2 b")
			})
		})
	}
}

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

// A message may leave out several: connections, and those of other rooms. One that recovers does not
// get it either.
func TestExceptAny(t *testing.T) {
	for name, make := range transports() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newTestHub(t, Settings{})
				tr1, w1 := make()
				tr2, w2 := make()
				tr3, w3 := make()
				tr4, _ := make()
				c1, c2, c3, c4 := connect(t, h, tr1), connect(t, h, tr2), connect(t, h, tr3), connect(t, h, tr4)
				subscribe(t, h, c2, "other", SubscribeOptions{})
				for _, c := range []*Conn{c1, c2, c3} {
					subscribe(t, h, c, "h", SubscribeOptions{})
				}
				since := subscribe(t, h, c4, "h", SubscribeOptions{})
				h.Unsubscribe(c4, "h")
				subscribe(t, h, c4, "other", SubscribeOptions{})
				m := &Message{Channel: "h", Content: []byte("a"), Except: ExceptAny([]string{"nobody in", "other", c1.ID()})}
				if _, err := h.Publish(context.Background(), m, ""); err != nil {
					t.Fatal(err)
				}
				publish(t, h, "h", "b")
				expect(t, w1, "h@2 b")
				expect(t, w2, "h@2 b")
				expect(t, w3, "h@1 a", "h@2 b")
				sub := subscribe(t, h, c4, "h", SubscribeOptions{Recover: &since.Position})
				if !sub.Recovered || len(sub.Messages) != 1 || string(sub.Messages[0].Content) != "b" {
					t.Errorf("recovered %+v", sub)
				}
			})
		})
	}
	if got := ExceptAny(nil); got != "" {
		t.Errorf("nobody is left out: %q", got)
	}
}

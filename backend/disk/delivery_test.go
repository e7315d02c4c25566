package disk

import (
	"fmt"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// wire is a transport that hands over what is written to it.
type wire chan string

func (w wire) Write(p []byte) error { w <- string(p); return nil }
func (w wire) Close()               {}

// contentOf is an encoder of the contents alone.
type contentOf struct{}

func (contentOf) AppendEvent(dst []byte, ev hub.Event) []byte {
	if m, ok := ev.(*hub.Message); ok {
		return append(dst, m.Content...)
	}
	return dst
}
func (contentOf) AppendPing(dst []byte) []byte                { return dst }
func (contentOf) AppendClose(dst []byte, _ hub.Reason) []byte { return dst }

// A hub with a store delivers message after message. The store works with a copy of each message.
// A small room would wait for ever for the publisher of a copy: the publisher offers to do the
// broadcast in its own message, and looks there for the answer.
func TestHubDelivers(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{Dir: t.TempDir(), Hub: "default"})
	if err != nil {
		t.Fatal(err)
	}
	h, err := hub.New(func(sink hub.Sink) (hub.Broker, error) { return s.Broker(sink, memory.Options{}) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = h.Close(), s.Close() })
	h.Apply(hub.Settings{Room: func(string) hub.RoomOptions { return hub.RoomOptions{Retention: hundred} }})
	w := make(wire, 10)
	c, err := h.Connect(hub.ConnOptions{Transport: w, Encoder: contentOf{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Subscribe(t.Context(), c, "room", hub.SubscribeOptions{}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		want := fmt.Sprint(i)
		if _, err := h.Publish(t.Context(), &hub.Message{Channel: "room", Content: []byte(want)}, ""); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-w:
			if got != want {
				t.Errorf("delivered %s, published %s", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("message %d is acknowledged and not delivered", i)
		}
	}
}

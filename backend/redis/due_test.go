package redis

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// stackWire is a transport that reports on which stack it is written to.
type stackWire chan string

func (w stackWire) Write([]byte) error { panic("the transport takes everything at once") }
func (w stackWire) Close()             {}
func (w stackWire) TryWrite(p []byte) (int, error) {
	stack := make([]byte, 1<<14)
	w <- string(p) + "\n" + string(stack[:runtime.Stack(stack, false)])
	return len(p), nil
}

// contents is an encoder of the contents alone.
type contents struct{}

func (contents) AppendEvent(dst []byte, ev hub.Event) []byte {
	if m, ok := ev.(*hub.Message); ok {
		return append(dst, m.Content...)
	}
	return dst
}
func (contents) AppendPing(dst []byte) []byte                { return dst }
func (contents) AppendClose(dst []byte, _ hub.Reason) []byte { return dst }

// The reader of the subscription broadcasts to a small room itself, with and without history.
func TestReaderBroadcasts(t *testing.T) {
	s := startServer(t)
	from := open(t, Options{Address: s.Addr}).Broker(deaf{})
	to := open(t, Options{Address: s.Addr})
	h, err := hub.New(func(sink hub.Sink) (hub.Broker, error) { return to.Broker(sink), nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = h.Close(), from.Close() })
	keep := hub.Retention{Size: 10, TTL: time.Hour}
	h.Apply(hub.Settings{Room: func(channel string) hub.RoomOptions {
		if channel == "kept" {
			return hub.RoomOptions{Retention: keep}
		}
		return hub.RoomOptions{}
	}})
	w := make(stackWire, 10)
	c, err := h.Connect(hub.ConnOptions{Transport: w, Encoder: contents{}})
	if err != nil {
		t.Fatal(err)
	}
	for channel, keep := range map[string]hub.Retention{"plain": {}, "kept": keep} {
		if _, err := h.Subscribe(t.Context(), c, channel, hub.SubscribeOptions{}); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			content := fmt.Sprintf(`"%s %d"`, channel, i)
			m := &hub.Message{Channel: channel, Content: []byte(content), Time: time.Now(), Position: hub.Position{Anchor: 1}}
			if _, err := from.Publish(context.Background(), m, hub.PublishOptions{Retention: keep}); err != nil {
				t.Fatal(err)
			}
			got, stack, _ := strings.Cut(<-w, "\n")
			if got != content {
				t.Errorf("got %s, want %s", got, content)
			}
			if !strings.Contains(stack, "readUntilEnd") {
				t.Errorf("%s was written on another goroutine:\n%s", content, stack)
			}
		}
	}
}

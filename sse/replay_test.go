package sse

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// void is a transport that takes everything at once.
type void struct{}

func (void) Write([]byte) error { return nil }
func (void) Close()             {}

// keeping makes a hub whose room "h" keeps three messages, and gives the position after
// the first.
func keeping(t *testing.T) (h *hub.Hub, first hub.Position) {
	t.Helper()
	h, err := hub.New(func(s hub.Sink) (hub.Broker, error) { return memory.New(s, memory.Options{}), nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	h.Apply(hub.Settings{Room: func(channel string) hub.RoomOptions {
		if channel != "h" {
			return hub.RoomOptions{}
		}
		return hub.RoomOptions{Retention: hub.Retention{Size: 10}}
	}})
	for i := range 3 {
		done, err := h.Publish(t.Context(), &hub.Message{Channel: "h", Content: fmt.Append(nil, i+1)}, "")
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = done.Position
		}
	}
	return h, first
}

// replayed gives what a new subscriber of h is sent, without times, epochs and anchors.
func replayed(t *testing.T, h *hub.Hub, q protocol.Subscribe) (sent []string) {
	t.Helper()
	c, err := h.Connect(hub.ConnOptions{Transport: void{}, Encoder: Encoder{}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(hub.ReasonNormal)
	sub, err := h.Subscribe(t.Context(), c, q.Channel, hub.SubscribeOptions{Recover: q.Recover, History: q.History})
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range replay(q, session.Subscribed{Subscribed: sub}) {
		var envelope struct {
			Type    string         `json:"type"`
			Payload map[string]any `json:"payload"`
		}
		if err := json.Unmarshal(protocol.AppendEnvelope(nil, ev), &envelope); err != nil {
			t.Fatal(err)
		}
		delete(envelope.Payload, "epoch")
		delete(envelope.Payload, "anchor")
		text, _ := json.Marshal(envelope.Payload)
		sent = append(sent, envelope.Type+" "+string(text))
	}
	return sent
}

// What a client missed comes as single messages behind `subscribed`, which names the
// position before them; what is lost is announced by a gap.
func TestReplay(t *testing.T) {
	t.Parallel()
	h, first := keeping(t)
	third := hub.Position{Epoch: first.Epoch, Offset: 3}
	messages := []string{`message {"channel":"h","content":2,"offset":2}`, `message {"channel":"h","content":3,"offset":3}`}
	for name, test := range map[string]struct {
		q    protocol.Subscribe
		want []string
	}{
		"recovered":      {protocol.Subscribe{Recover: &first}, append([]string{`subscribed {"channel":"h","offset":1,"recovered":true}`}, messages...)},
		"nothing missed": {protocol.Subscribe{Recover: &third}, []string{`subscribed {"channel":"h","offset":3,"recovered":true}`}},
		"lost":           {protocol.Subscribe{Recover: &hub.Position{Epoch: "other", Offset: 1}}, []string{`subscribed {"channel":"h","offset":3,"recovered":false}`, `gap {"channel":"h","offset":3}`}},
		"history":        {protocol.Subscribe{History: 2}, append([]string{`subscribed {"channel":"h","offset":1}`}, messages...)},
		"neither":        {protocol.Subscribe{}, []string{`subscribed {"channel":"h","offset":3}`}},
	} {
		test.q.Channel = "h"
		if got := replayed(t, h, test.q); !slices.Equal(got, test.want) {
			t.Errorf("%s:\n\t%s\nwant\n\t%s", name, strings.Join(got, "\n\t"), strings.Join(test.want, "\n\t"))
		}
	}
}

// A room without history has nothing to recover, and an event stream is told so.
func TestRecoverWithoutHistory(t *testing.T) {
	t.Parallel()
	h, _ := keeping(t)
	got := replayed(t, h, protocol.Subscribe{Channel: "a", Recover: &hub.Position{Epoch: "x", Offset: 4}})
	if want := []string{`subscribed {"channel":"a","recovered":false}`, `gap {"channel":"a"}`}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

package session

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestKick(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		first, second, bob, guest := w.connect("ann"), w.connect("ann"), w.connect("bob"), w.connect("")
		reason := hub.Reason{Code: 4499, Text: "out"}
		for user, want := range map[string]int{"ann": 2, "": 0, "nobody": 0} {
			if done, e := w.registry.KickUser(t.Context(), user, reason); done != (Ended{Connections: want, Nodes: 1}) || e != nil {
				t.Errorf("%q: %+v, %v, want %d", user, done, e, want)
			}
		}
		first.hears(`{"close":4499}`)
		second.hears(`{"close":4499}`)
		for id, want := range map[string]int{guest.Conn().ID(): 1, "nobody": 0, strings.Repeat("x", 100): 0} {
			if done, e := w.registry.KickConnection(t.Context(), id, protocol.ReasonForbidden); done != (Ended{Connections: want, Nodes: 1}) || e != nil {
				t.Errorf("%q: %+v, %v, want %d", id, done, e, want)
			}
		}
		guest.hears(`{"close":4403}`)
		bob.hears()
		if done, _ := w.registry.KickUser(t.Context(), "ann", reason); done.Connections != 0 {
			t.Errorf("%d connections are left", done.Connections)
		}
	})
}

func TestKickReason(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]int{0: 4403, 4000: 4000, 4999: 4999, 1000: 1000, 1008: 1008, 1012: 1012} {
		if r, e := KickReason(code, "go"); e != nil || int(r.Code) != want || r.Text != "go" {
			t.Errorf("%d: %v, %v", code, r, e)
		}
	}
	if r, e := KickReason(0, ""); e != nil || r != protocol.ReasonForbidden {
		t.Errorf("%v, %v", r, e)
	}
	for _, code := range []int{-1, 1, 999, 1002, 1005, 1006, 1015, 3999, 5000, 65536 + 4403} {
		if _, e := KickReason(code, ""); codeOf(e) != protocol.InvalidMessage {
			t.Errorf("%d was accepted", code)
		}
	}
	for _, text := range []string{strings.Repeat("x", MaxReason+1), "a\nb", "\xff"} {
		if _, e := KickReason(0, text); codeOf(e) != protocol.InvalidMessage {
			t.Errorf("%q was accepted", text)
		}
	}
}

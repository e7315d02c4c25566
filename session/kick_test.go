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
			if n := w.registry.KickUser(user, reason); n != want {
				t.Errorf("%q: %d connections ended, want %d", user, n, want)
			}
		}
		first.hears(`{"close":4499}`)
		second.hears(`{"close":4499}`)
		if !w.registry.KickConnection(guest.Conn().ID(), protocol.ReasonForbidden) || w.registry.KickConnection("nobody", protocol.ReasonForbidden) {
			t.Error("the wrong connection was found")
		}
		guest.hears(`{"close":4403}`)
		bob.hears()
		if n := w.registry.KickUser("ann", reason); n != 0 {
			t.Errorf("%d connections are left", n)
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

package hub

import (
	"strings"
	"testing"
)

// Nothing follows the close of a connection whose reply did not fit into its queue.
func TestReplyEndsWithTheClose(t *testing.T) {
	for name, try := range map[string]bool{"waits": false, "at once": true} {
		t.Run(name, func(t *testing.T) {
			h, _ := newTestHub(t, Settings{QueueBytes: 1000})
			w := newWire()
			var tr Transport = w
			if try {
				tr = &tryWire{wire: w}
			}
			c := connect(t, h, tr)
			large := strings.Repeat("x", 900)
			_, _ = h.Subscribe(t.Context(), c, "room", SubscribeOptions{Reply: func(Subscribed) []Event {
				return []Event{large, large, "behind"}
			}})
			w.waitClosed()
			if got := w.lines(); got[len(got)-1] != "close 4500" {
				t.Errorf("the last line is %.20q of %d", got[len(got)-1], len(got))
			}
		})
	}
}

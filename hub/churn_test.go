package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestChurn lets publishers, subscribers and settings change at once, over real
// goroutines, and then reads what each connection was sent.
func TestChurn(t *testing.T) {
	const rooms, publishers, messages, clients = 4, 4, 300, 16
	// The queue holds all there is: which client a busy machine makes a slow one is
	// nothing that this test is about.
	h, b := newTestHub(t, Settings{Heartbeat: time.Hour, QueueMessages: 4 * publishers * messages})
	var publishing, subscribing sync.WaitGroup
	done := make(chan struct{})
	for range publishers {
		publishing.Go(func() {
			for i := range messages {
				publish(t, h, fmt.Sprint("h", rand.N(rooms)), fmt.Sprint(i))
			}
		})
	}
	for i := range clients {
		subscribing.Go(func() { churn(t, h, rooms, i%2 == 0, done) })
	}
	publishing.Wait()
	close(done)
	subscribing.Wait()
	if n := b.attachments(); n != 0 {
		t.Errorf("%d attachments left", n)
	}
}

// churn is a client that comes, goes and recovers until done is closed.
func churn(t *testing.T, h *Hub, rooms int, try bool, done chan struct{}) {
	last := make([]*Position, rooms)
	for {
		var tr Transport
		w := newWire()
		if tr = w; try {
			tr = &tryWire{wire: w}
		}
		c := connect(t, h, tr)
		for i := range rooms {
			channel := fmt.Sprint("h", i)
			_, err := h.Subscribe(context.Background(), c, channel, SubscribeOptions{Recover: last[i], Reply: replay})
			if err != nil && !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
			if rand.N(4) == 0 {
				h.Unsubscribe(c, channel)
			}
		}
		c.Close(ReasonNormal)
		w.waitClosed()
		check(t, w.lines(), last)
		select {
		case <-done:
			return
		default:
		}
	}
}

func replay(s Subscribed) []Event {
	reply := []Event{fmt.Sprintf("at %s@%d %v", s.Channel, s.Position.Offset, s.Recovered)}
	for _, m := range s.Messages {
		reply = append(reply, m)
	}
	return reply
}

// check reads one connection's lines and moves last to where it ended.
func check(t *testing.T, lines []string, last []*Position) {
	at := make(map[string]uint64)
	for _, l := range lines {
		var channel string
		var offset uint64
		var recovered bool
		l = strings.NewReplacer("@", " ").Replace(l)
		switch {
		case strings.HasPrefix(l, "at "):
			fmt.Sscanf(l, "at %s %d %t", &channel, &offset, &recovered)
			p := last[channel[1]-'0']
			if p != nil && !recovered {
				t.Errorf("%s: not recovered from %d", channel, p.Offset)
			}
			if at[channel] = offset; p != nil {
				at[channel] = p.Offset // the replay follows
			}
		case strings.HasPrefix(l, "h"):
			fmt.Sscanf(l, "%s %d", &channel, &offset)
			if offset != at[channel]+1 {
				t.Errorf("%s: %d after %d", channel, offset, at[channel])
			}
			at[channel] = offset
		case l != "close 1000":
			t.Errorf("unexpected %q", l)
		}
	}
	for channel, offset := range at {
		last[channel[1]-'0'] = &Position{Epoch: "e", Offset: offset}
	}
}

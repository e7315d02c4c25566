package drills

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// staying is how many members stay in the hall.
const staying = 16

var halls = channelsOf("hall", 3)

// hall are rooms with members, while the server is killed. The members of the first two rooms
// stay, and those of the third come and go.
type hall struct {
	t       *testing.T
	base    string
	over    chan struct{} // closed when everybody leaves
	leave   func()        // waits until everybody has left
	members sync.WaitGroup
}

func openHall(t *testing.T, base string) *hall {
	h := &hall{t: t, base: base, over: make(chan struct{})}
	h.leave = sync.OnceFunc(func() { close(h.over); h.members.Wait() })
	for i := range staying {
		h.members.Go(func() { h.visit(fmt.Sprint("stays", i), halls[i%2], time.Hour) })
	}
	for i := range 4 {
		h.members.Go(func() { h.visit(fmt.Sprint("walks", i), halls[2], 100*time.Millisecond) })
	}
	t.Cleanup(h.leave)
	return h
}

// check fails unless the members who stay are there, connected or in their grace.
func (h *hall) check() {
	h.t.Helper()
	if n := listed(h.t, h.base, halls[:2]); n != staying {
		h.t.Errorf("%d members of %d are there", n, staying)
	}
}

// visit lets a member enter and leave again and again. If the server is away, the member waits as the
// browser client does. In the end the member has left.
func (h *hall) visit(user, channel string, stay time.Duration) {
	for attempt := 0; ; attempt++ {
		c, err := openWS(dialer(), h.base, http.Header{"X-User": {user}})
		if err == nil {
			attempt = 0
			if err = h.stroll(c, channel, stay); err == nil {
				return
			}
		}
		time.Sleep(rand.N(min(30*time.Second, time.Second<<attempt)))
	}
}

// stroll lets a member enter and leave until the drill is over. An error says that the connection
// has ended.
func (h *hall) stroll(c *wsClient, channel string, stay time.Duration) error {
	defer c.close()
	for {
		if ev, err := c.call("subscribe", map[string]any{"channel": channel}); err != nil || ev.Type != "subscribed" {
			return fmt.Errorf("subscribing: %v, %w", ev, err)
		}
		if goesOn, err := h.linger(c, channel, stay); err != nil || !goesOn {
			return err
		}
	}
}

// linger lets a member stay in a room for a time or until the drill is over, and leave then. It
// reports whether the drill goes on.
func (h *hall) linger(c *wsClient, channel string, stay time.Duration) (goesOn bool, err error) {
	_ = c.conn.SetReadDeadline(time.Time{})
	ended := make(chan struct{})
	var leaving sync.WaitGroup
	leaving.Go(func() {
		select {
		case <-ended:
			return
		case <-h.over:
		case <-time.After(stay):
			goesOn = true
		}
		_ = c.send("unsubscribe", "out", map[string]any{"channel": channel}) // if it fails, reading does
	})
	for ev := (envelope{}); err == nil && ev.ID != "out"; {
		ev, err = c.next()
	}
	close(ended)
	leaving.Wait()
	return goesOn, err
}

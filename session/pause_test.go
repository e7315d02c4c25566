package session

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// flood says what a client could send without end, until it is thrown out, and counts
// the answers.
func (c *client) flood() (served, refused int) {
	for len(c.reasons) == 0 {
		c.say(ping1)
		synctest.Wait()
	}
	for _, frame := range c.wire.take() {
		switch {
		case strings.Contains(frame, string(protocol.RateLimited)):
			refused++
		case strings.Contains(frame, `"pong"`):
			served++
		}
	}
	return served, refused
}

// A flood costs little more than what the rate allows, also when the flooder comes
// back again and again for a full bucket. Each answer is one frame that was read.
func TestFloodIsLeftUnread(t *testing.T) {
	for _, rate := range []policy.Rate{
		{PerSecond: 50, Burst: 100}, {PerSecond: 50}, {PerSecond: 1000}, {PerSecond: 20, Burst: 20}, {PerSecond: 2, Burst: 3},
	} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			inBubble(t, Limits{Rate: rate}, nil, func(t *testing.T, w *world) { floodFor(t, w, time.Minute, rate.PerSecond) })
		})
	}
}

func floodFor(t *testing.T, w *world, most time.Duration, perSecond float64) {
	begin, served, refused, rounds := time.Now(), 0, 0, 0
	for ; time.Since(begin) < most; rounds++ {
		s, r := w.connect("").flood()
		served, refused = served+s, refused+r
	}
	if refused != rounds*(maxViolations+1) {
		t.Errorf("%d refusals in %d connections", refused, rounds)
	}
	gain := float64(served) / (time.Since(begin).Seconds() * perSecond)
	t.Logf("%.2f times of what is allowed was served, with %d refusals, in %d connections", gain, refused, rounds)
	if gain > 1.6 {
		t.Error("too much is served")
	}
}

// A client that is left unread can not answer pings.
func TestPausedClientIsNotSilent(t *testing.T) {
	inBubble(t, Limits{Rate: policy.Rate{PerSecond: 2, Burst: 1}}, nil, func(t *testing.T, w *world) {
		w.hub.Apply(hub.Settings{Heartbeat: 500 * time.Millisecond, Timeout: 200 * time.Millisecond})
		c := w.connect("", func(o *Options) { o.Answers = true })
		c.flood()
		if c.reasons[0] != protocol.ReasonPolicy {
			t.Errorf("ended with %v", c.reasons)
		}
	})
}

func TestPauseEndsWithTheConnection(t *testing.T) {
	inBubble(t, Limits{Rate: policy.Rate{PerSecond: 1, Burst: 1}}, nil, func(t *testing.T, w *world) {
		c := w.connect("")
		c.say(ping1)
		begin := time.Now()
		time.AfterFunc(time.Millisecond, func() { c.Conn().Close(hub.ReasonNormal) })
		c.say(ping1)
		if took := time.Since(begin); took != time.Millisecond {
			t.Errorf("the pause took %v", took)
		}
	})
}

// A client is left unread for a quarter of the time at most in which it must answer a ping.
func TestPauseIsShorterThanATimeout(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		c, slow := w.connect("ann"), policy.Rate{PerSecond: 0.01, Burst: 1}
		if got := c.pauseFor(slow, time.Minute); got != maxPause {
			t.Errorf("%v", got)
		}
		w.hub.Apply(hub.Settings{Room: w.config.Policy.Options, Heartbeat: time.Second, Timeout: time.Second})
		if got := c.pauseFor(slow, time.Minute); got != time.Second/4 {
			t.Errorf("%v with a timeout of a second", got)
		}
	})
}

package session

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/window"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	ping1 = `{"type":"ping","id":1}`
	pong1 = `{"type":"pong","id":1,"payload":{}}`
)

func limited(id string, ms int) string {
	return strings.TrimSuffix(failure(id, protocol.RateLimited), "}}") + fmt.Sprintf(`,"retryAfter":%d}}`, ms)
}

func TestMessageRate(t *testing.T) {
	limits := Limits{Rate: policy.Rate{PerSecond: 2, Burst: 3}}
	inBubble(t, limits, open("a"), func(t *testing.T, w *world) {
		c, other := w.connect("ann"), w.connect("ann")
		c.say(ping1, ping1, `broken`, ping1)
		c.hears(pong1, pong1, failure("", protocol.InvalidJSON), limited("1", 500))
		other.say(ping1)
		other.hears(pong1)

		// The refusal has lasted 400 ms, and takes at least a tenth of 1.5 s. The payload
		// is not looked at, or this would be INVALID_MESSAGE.
		c.say(`{"type":"message","id":2,"payload":{"content":1}}`)
		c.hears(limited("2", 150))
		time.Sleep(450 * time.Millisecond)
		c.say(ping1, ping1, ping1)
		c.hears(pong1, pong1, limited("1", 500))
	})
}

func TestMessageRateChangesForLiveSessions(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		c := w.connect("")
		c.say(ping1, ping1, ping1)
		c.hears(pong1, pong1, pong1)
		w.config.Limits.Rate = policy.Rate{PerSecond: 1}
		w.apply(w.config)
		c.say(ping1, ping1)
		c.hears(pong1, limited("1", 1000))
		w.config.Limits.Rate = policy.Rate{}
		w.apply(w.config)
		c.say(ping1, ping1)
		c.hears(pong1, pong1)
	})
}

func TestRoomRate(t *testing.T) {
	rooms := open("quick:*", "slow:*")
	rooms[1].Rate = policy.Rate{PerSecond: 1, Burst: 1}
	inBubble(t, Limits{}, rooms, func(t *testing.T, w *world) {
		into := func(channel string) string {
			return `{"type":"message","id":1,"payload":{"channel":"` + channel + `","content":1}}`
		}
		ack := func(channel string) string { return `{"type":"ack","id":1,"payload":{"channel":"` + channel + `"}}` }
		c, other := w.connect("ann"), w.connect("ann")
		c.say(into("slow:1"), into("slow:1"), into("slow:2"), into("quick:1"), into("quick:1"))
		c.hears(ack("slow:1"), limited("1", 1000), ack("slow:2"), ack("quick:1"), ack("quick:1"))
		other.say(into("slow:1"))
		other.hears(ack("slow:1"))
		time.Sleep(time.Second)
		c.say(into("slow:1"))
		c.hears(ack("slow:1"))
		// A room that takes less than the client sends is no reason to end it.
		for range 3 * maxViolations {
			c.say(into("slow:1"))
		}
		synctest.Wait()
		if len(c.reasons) > 0 {
			t.Errorf("ended with %v", c.reasons)
		}
	})
}

func TestAbuseEndsTheConnection(t *testing.T) {
	broken := protocol.Errorf(protocol.InvalidJSON, "broken")
	tests := map[string]struct {
		limits Limits
		act    func(c *client)
	}{
		"broken frames":    {Limits{}, func(c *client) { c.say(`{`) }},
		"unknown types":    {Limits{}, func(c *client) { c.say(`{"type":"dance"}`) }},
		"broken payloads":  {Limits{}, func(c *client) { c.say(`{"type":"subscribe"}`) }},
		"floods":           {Limits{Rate: policy.Rate{PerSecond: 1e-9, Burst: 1}}, func(c *client) { c.say(ping1) }},
		"of the transport": {Limits{}, func(c *client) { c.Violation(broken) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, test.limits, nil, func(t *testing.T, w *world) {
				c := w.connect("")
				if test.limits != (Limits{}) {
					test.act(c) // what is allowed
				}
				for range maxViolations {
					test.act(c)
				}
				synctest.Wait()
				if len(c.reasons) != 0 {
					t.Fatalf("ended after %d offences: %v", maxViolations, c.reasons)
				}
				test.act(c)
				synctest.Wait()
				if len(c.reasons) != 1 || c.reasons[0] != protocol.ReasonPolicy {
					t.Errorf("ended with %v", c.reasons)
				}
				if got := c.wire.take(); got[len(got)-1] != `{"close":1008}` {
					t.Errorf("the last frame is %q", got[len(got)-1])
				}
			})
		})
	}
}

func TestRefusalsAreNoAbuse(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		c := w.connect("")
		for range 3 * maxViolations {
			c.say(`{"type":"subscribe","payload":{"channel":"a"}}`)
		}
		synctest.Wait()
		if len(c.reasons) != 0 {
			t.Errorf("ended with %v", c.reasons)
		}
	})
}

func TestOffences(t *testing.T) {
	t.Parallel()
	start := time.Unix(1000, 0)
	tests := map[string]struct {
		every time.Duration
		want  int // the offence that is one too many; 0 never
	}{
		"all at once":     {0, maxViolations + 1},
		"within a window": {violationWindow / (maxViolations + 1), maxViolations + 1},
		"just too slow":   {violationWindow / maxViolations, 0},
		"now and then":    {violationWindow, 0},
	}
	for name, test := range tests {
		var c window.Counter
		got := 0
		for n := 1; n <= 100 && got == 0; n++ {
			if c.Add(start.Add(time.Duration(n)*test.every), violationWindow) > maxViolations {
				got = n
			}
		}
		if got != test.want {
			t.Errorf("%s: offence %d is too many, want %d", name, got, test.want)
		}
	}
}

func TestUntilToken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		tokens, perSecond float64
		want              time.Duration
	}{
		{0, 1, time.Second},
		{0.5, 1, 500 * time.Millisecond},
		{0, 3, 334 * time.Millisecond},
		{0.999999, 1000, time.Millisecond},
		{-3, 1, 4 * time.Second},
		{0, 1e-9, time.Hour},
	} {
		if got := untilToken(test.tokens, test.perSecond); got != test.want {
			t.Errorf("%v tokens at %v/s: %v, want %v", test.tokens, test.perSecond, got, test.want)
		}
	}
}

func TestBucketsForgetTheFullOnes(t *testing.T) {
	t.Parallel()
	b := buckets[int]{limit: 1000}
	rate := policy.Rate{PerSecond: 1, Burst: 1}
	now := time.Unix(1000, 0)
	for i := range 10_000 {
		b.take(i, rate, now.Add(time.Duration(i)*time.Second))
	}
	if len(b.all) > 32 {
		t.Errorf("%d buckets are kept, and all but one are full", len(b.all))
	}
}

func TestBucketsAreBounded(t *testing.T) {
	t.Parallel()
	b := buckets[int]{limit: 8}
	rate := policy.Rate{PerSecond: 1, Burst: 1}
	now := time.Unix(1000, 0)
	for i := range 1000 {
		if b.take(i, rate, now) != 0 {
			t.Fatalf("a new key has to wait")
		}
		if len(b.all) > b.limit {
			t.Fatalf("%d buckets, the limit is %d", len(b.all), b.limit)
		}
	}
	if b.take(999, rate, now) == 0 {
		t.Error("the newest bucket was forgotten")
	}
}

// A caller with many keys does not make each of them cost a look at all buckets.
func TestBucketsMakeRoomForMany(t *testing.T) {
	t.Parallel()
	b := buckets[int]{limit: 800}
	now := time.Unix(1000, 0)
	sweeps := 0
	for i := range 10_000 {
		before := len(b.all)
		b.take(i, policy.Rate{PerSecond: 1, Burst: 1}, now)
		if len(b.all) <= before {
			sweeps++
		}
	}
	if sweeps > 10_000/100 {
		t.Errorf("%d sweeps for 10000 keys", sweeps)
	}
}

// To make room drops an eighth of the buckets, and no more: each is a caller that gains a burst.
func TestBucketsDropNoMoreThanAnEighth(t *testing.T) {
	t.Parallel()
	b := buckets[int]{limit: 800}
	now := time.Unix(1000, 0)
	for i := range 801 {
		b.take(i, policy.Rate{PerSecond: 1, Burst: 1}, now)
	}
	if len(b.all) != 701 {
		t.Errorf("%d buckets, want 700 and the new one", len(b.all))
	}
}

func TestUnlimitedKeepsNoBucket(t *testing.T) {
	t.Parallel()
	b := buckets[int]{limit: 8}
	if b.take(1, policy.Rate{}, time.Now()) != 0 || len(b.all) != 0 {
		t.Error("an unlimited rate left a bucket")
	}
}

func TestFlooderIsNotAnsweredForEver(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		c := w.connect("")
		for range 10 * maxViolations {
			c.say(`{`)
		}
		synctest.Wait()
		if got := len(c.wire.take()); got != maxViolations+2 {
			t.Errorf("%d frames were sent, want %d errors and the close", got, maxViolations+1)
		}
		if len(c.reasons) != 1 || c.reasons[0] == hub.ReasonSlow {
			t.Errorf("ended with %v", c.reasons)
		}
	})
}

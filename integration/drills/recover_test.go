package drills

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

const recoverSite = `
http://{{site}} {
	encode /rt/sse
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		room long:* {
			subscribe anyone
			publish anyone
			history 5000
		}
		room short:* {
			subscribe anyone
			publish anyone
			history 8
		}
	}
}
`

var (
	recoverMessages = sized(1000, 2000) // to be acknowledged, at least
	recoverCuts     = sized(250, 500)   // connections to be cut, at least
)

// TestRecover cuts connections at random, while everything that can publish
// publishes. Who comes back gets what was missed, or is told that it is lost; in
// the rooms that remember enough nothing is.
func TestRecover(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := integration.Start(t, recoverSite)
	d := newDrill(t, "http://"+c.Addr("site")+"/rt", checker.Options{})
	long, short := channelsOf("long", 6), channelsOf("short", 2)
	for i := range 120 {
		d.subscriber(someChannels(i, long, short)...)
	}
	for i := range 80 {
		d.streamer(i%4 == 0, someChannels(i, long, short)...)
	}
	all := append(long, short...)
	d.publisher(&publisher{name: "ws", way: &byWS{base: d.base}, pick: turns(all, 1), pause: 10 * time.Millisecond})
	d.publisher(&publisher{name: "keys", way: &byWS{base: d.base, twice: true, cutEvery: 7}, pick: turns(all, 1), pause: 10 * time.Millisecond})
	d.publisher(&publisher{name: "http", way: newHTTP(d.base, appKey, false), pick: turns(all, 1), pause: 10 * time.Millisecond})
	d.publisher(&publisher{name: "batch", way: newHTTP(d.base, appKey, true), pick: turns(all, 3), pause: 20 * time.Millisecond})

	for _, s := range d.subscribers {
		d.following.Go(func() { d.comeBack(s) })
	}
	d.gathered()
	d.publish()
	cuts := d.cutAtRandom(recoverMessages, recoverCuts, nil)
	d.settle()
	r := d.verdict()
	t.Logf("%d connections were cut", cuts)
	if r.Recovered < cuts/2 {
		t.Errorf("%d of %d subscriptions have recovered", r.Recovered, r.Subscriptions)
	}
	if r.Gaps == 0 {
		t.Error("no gap came: nobody has stayed away for longer than the short history")
	}
}

// someChannels gives each third subscriber three channels and the others one.
func someChannels(i int, long, short []string) []string {
	if i%3 == 0 {
		return []string{long[i%len(long)], long[(i+1)%len(long)], short[i%len(short)]}
	}
	if i%7 == 0 {
		return short[i%2 : i%2+1]
	}
	return long[i%len(long) : i%len(long)+1]
}

// cutAtRandom cuts connections until enough has happened, half of them with a reset.
// That may take long, as long as publishing goes on. After each it calls a function, which may be nil.
func (d *drill) cutAtRandom(messages, enough int, after func(cuts int)) (cuts int) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	last, acked := time.Now(), d.acked()
	for acked < messages || cuts < enough {
		<-tick.C
		if n := d.acked(); n > acked {
			last, acked = time.Now(), n
		} else if time.Since(last) > drillLimit {
			d.t.Fatalf("nothing was acknowledged for %v, after %d messages and %d cuts", drillLimit, n, cuts)
		}
		s := d.subscribers[rand.N(len(d.subscribers))]
		if !s.inside.Load() {
			continue
		}
		if cuts++; cuts%2 == 0 {
			s.reset()
		}
		s.drop()
		if after != nil {
			after(cuts)
		}
	}
	return cuts
}

// TestRecoverOverReloads has connections cut and policies loaded at the same time,
// in rooms that lose their history and get it back. A client may find the server
// not listening for a moment, and what it goes on from gone.
func TestRecoverOverReloads(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := integration.Start(t, policyOf(0).caddyfile())
	d := newDrill(t, "http://"+c.Addr("site")+"/rt", checker.Options{})
	d.away = true
	chat, memo := channelsOf("chat", 3), channelsOf("memo", 2)
	for i := range 40 {
		d.subscriber(chat[i%3], memo[i%2])
		d.streamer(i%4 == 0, chat[i%3], memo[i%2])
	}
	all := append(chat, memo...)
	d.publisher(&publisher{name: "ws", way: &byWS{base: d.base, cutEvery: 50}, pick: turns(all, 1), pause: 10 * time.Millisecond})
	d.publisher(&publisher{name: "batch", way: newHTTP(d.base, appKey, true), pick: turns(all, 2), pause: 10 * time.Millisecond})
	for _, s := range d.subscribers {
		d.following.Go(func() { d.comeBack(s) })
	}
	d.gathered()
	d.publish()
	cuts := d.cutAtRandom(sized(500, 1000), sized(150, 300), func(cuts int) {
		if cuts%10 == 0 {
			p := policyOf(cuts / 10)
			p.crowded = false // everybody may come back
			c.Reload(p.caddyfile())
		}
	})
	d.settle()
	d.verdict()
	t.Logf("%d connections were cut, and %d policies loaded", cuts, cuts/10)
}

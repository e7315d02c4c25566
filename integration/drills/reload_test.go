package drills

import (
	"runtime"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

var (
	reloads   = sized(21, 50) // each option of the policies changes with each that has another period
	reloadWS  = sized(200, 500)
	reloadSSE = sized(50, 100)
)

const (
	reloadInside = 10 // of the streams: they stay in their handlers
	reloadMemo   = 6  // more of each, in rooms that lose their history and get it back
)

// TestReload loads one policy after the other under a crowd. Nobody is cut off,
// nothing is lost, each policy is in force at once, and none stays in memory.
func TestReload(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := integration.Start(t, policyOf(0).caddyfile())
	d := newDrill(t, "http://"+c.Addr("site")+"/rt", checker.Options{})
	channels := channelsOf("chat", 8)
	inside, outside := d.reloadCrowd(channels)
	d.publisher(&publisher{name: "ws", way: &byWS{base: d.base}, pick: turns(channels, 1), pause: 20 * time.Millisecond})
	d.publisher(&publisher{name: "http", way: newHTTP(d.base, appKey, false), pick: turns(channels, 1), pause: 20 * time.Millisecond})
	d.publisher(&publisher{name: "batch", way: newHTTP(d.base, "", true), pick: turns(channels, 2), pause: 40 * time.Millisecond})
	d.publisher(&publisher{name: "memo", way: &byWS{base: d.base}, pick: turns(channelsOf("memo", 2), 1), pause: 5 * time.Millisecond})
	p := newProber(t, d.base)
	p.check(policyOf(0))
	before := runtime.NumGoroutine()

	d.publish()
	for i := 1; i <= reloads; i++ {
		c.Reload(policyOf(i).caddyfile())
		p.check(policyOf(i))
		enough := d.acked() + 20
		until(t, "publishing goes on", func() bool { return d.acked() >= enough })
	}
	d.settle()
	d.verdict()
	until(t, "the goroutines are as many as before", func() bool { return runtime.NumGoroutine() <= before+20 })
	t.Logf("%d goroutines before %d reloads, %d after", before, reloads, runtime.NumGoroutine())

	// A stream that lives in its handler keeps the configuration it came through,
	// and no other.
	until(t, "configurations are freed", func() bool { return configurations() <= 2 })
	d.leaving.Store(true)
	for _, s := range inside {
		s.drop()
	}
	until(t, "the first configuration is freed", func() bool { return configurations() <= 1 })
	for _, s := range outside {
		if !s.inside.Load() {
			t.Error("somebody is not there any more")
		}
	}
}

// reloadCrowd connects the subscribers, spread over the channels; some are in
// several. None of them may be cut off before the drill is over. Those inside hold
// their handlers.
func (d *drill) reloadCrowd(channels []string) (inside, outside []*subscriber) {
	n := len(channels)
	some := func(i int) []string {
		if i%10 == 0 {
			return []string{channels[i%n], channels[(i+1)%n], channels[(i+2)%n]}
		}
		return channels[i%n : i%n+1]
	}
	for i := range reloadWS {
		outside = append(outside, d.subscriber(some(i)...))
	}
	for i := range reloadSSE - reloadInside {
		outside = append(outside, d.streamer(false, some(i)...))
	}
	for i := range reloadMemo {
		channel := channelsOf("memo", 2)[i%2]
		outside = append(outside, d.subscriber(channel), d.streamer(false, channel, channels[0]))
	}
	for i := range reloadInside {
		inside = append(inside, d.streamer(true, some(i)...))
	}
	for _, s := range d.subscribers {
		d.hold(s)
	}
	d.gathered()
	return inside, outside
}

package drills

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

const clockSite = `
http://{{site}} {
	realtime /rt {
		user {header.X-User}
		api_key {env.REALTIME_TEST_KEY}
		heartbeat 1s 1s
		%s
		room news:* {
			subscribe anyone
			publish anyone
			history 5000
		}
		room aging:* {
			subscribe anyone
			publish anyone
			history 5000 10m
		}
		room hall:* {
			subscribe anyone
			presence {
				grace 200ms
			}
		}
	}
}
`

// TestClockJumps moves the wall clock of the process by an hour, forwards and backwards, while
// clients publish, lose their connections and recover. Nothing that happens inside of the
// process may go by that clock. The store keeps times over a restart; in a room whose messages
// live for ten minutes they may be over, which clients are told.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"", "store {env.REALTIME_TEST_STORE}"} {
		name := "memory"
		if store != "" {
			name = "store"
		}
		t.Run(name, func(t *testing.T) { jumpClock(t, store) })
	}
}

func jumpClock(t *testing.T, store string) {
	row := newRow(t, "nobody closed, no member leaves, no repeat; no gap in rooms without a lifetime", "the wall clock jumps by an hour, forwards and backwards; clients are cut off over each jump")
	p := integration.StartProcess(t, fmt.Sprintf(clockSite, store), "REALTIME_TEST_KEY="+appKey, "REALTIME_TEST_STORE="+t.TempDir())
	clock, err := movableClock(t, p)
	if err != nil {
		t.Skipf("the clock of a process can not be moved here: %v", err)
	}
	base, halls := "http://"+p.Addr("site")+"/rt", channelsOf("hall", 2)
	news, aging := jumpCrowd(t, base, channelsOf("news", 3)), jumpCrowd(t, base, channelsOf("aging", 3))
	watch := watchMembers(t, base, "watcher", halls)
	invite(t, base, "guest", 20, halls)
	until(t, "all members are there", func() bool { return watch.others() == 20 })
	calm := watch.changes()

	count := 0
	jump := func(by time.Duration) {
		news.cutSome(10)
		aging.cutSome(10)
		time.Sleep(50 * time.Millisecond) // what they miss is older than the jump and younger
		clock.set(by)
		count++
		if wrong := (wrongBy(t, base) - by).Abs(); wrong > time.Minute {
			t.Fatalf("the clock was to be wrong by %v, and is wrong by that and %v", by, wrong)
		}
		for _, d := range []*drill{news, aging} {
			d.gathered()
			d.goOn(sized(10, 30))
		}
	}
	for range sized(1, 10) {
		for _, by := range []time.Duration{time.Hour, 0, -time.Hour, 0} {
			jump(by)
		}
	}
	time.Sleep(sized(2*time.Second, 10*time.Second)) // heartbeats that were asked for before the jump are due
	if n := watch.changes() - calm; n != 0 {
		t.Errorf("%d members came or went", n)
	}
	if store != "" {
		jump(time.Hour)
		p.Kill()
		p.Start() // with the right clock: what is stored is of the future
		news.goOn(30)
		aging.goOn(30)
	}
	news.settle()
	aging.settle()
	r := news.verdict()
	if first := news.subscriptions(); r.Gaps > 0 || r.Subscriptions-r.Recovered != first {
		t.Errorf("%d gaps, and %d of %d subscriptions have recovered; only the first %d have nothing to recover", r.Gaps, r.Recovered, r.Subscriptions, first)
	}
	other := aging.verdict()
	row.came("%d jumps; %s; with a lifetime of ten minutes %d of %d subscriptions have recovered", count, summary(news, r),
		other.Recovered, other.Subscriptions-aging.subscriptions())
}

// jumpCrowd is a crowd in some rooms, which publishes already.
func jumpCrowd(t *testing.T, base string, channels []string) *drill {
	d := newDrill(t, base, checker.Options{})
	d.away = true
	for i := range 15 {
		d.subscriber(channels[i%3], channels[(i+1)%3])
		d.streamer(false, channels[i%3], channels[(i+1)%3])
	}
	d.publisher(&publisher{name: "ws", way: &byWS{base: base}, pick: turns(channels, 1), pause: 10 * time.Millisecond})
	d.publisher(&publisher{name: "http", way: newHTTP(base, appKey, true), pick: turns(channels, 2), pause: 20 * time.Millisecond})
	for _, s := range d.subscribers {
		d.following.Go(func() { d.comeBack(s) })
	}
	d.gathered()
	d.publish()
	d.goOn(30)
	return d
}

// cutSome cuts the first connections.
func (d *drill) cutSome(n int) {
	for _, s := range d.subscribers[:n] {
		s.inside.Store(false)
		s.drop()
	}
}

// wrongBy is how wrong the clock of a server is, by the date in its answers.
func wrongBy(t *testing.T, base string) time.Duration {
	t.Helper()
	res, err := http.Get(base + "/client.js")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	return time.Until(date)
}

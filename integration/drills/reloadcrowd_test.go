package drills

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

const reloadCrowdSite = `
{
	admin {{admin}}
	log {
		exclude http realtime
	}
	default_sni 127.0.0.1
}
http://{{site}} {
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		heartbeat %ds
		limits {
			message_size %dKiB
			queue 4096 8MiB
		}
		room chat:* {
			subscribe anyone
			publish anyone
			history 50
		}
	}
}
https://{{secure}} {
	realtime /rt
}
`

// TestReloadCrowd reloads a server in a process of its own with thousands of clients, over
// HTTP/1.1 and HTTP/2. TestReload checks more about each policy, with fewer clients.
func TestReloadCrowd(t *testing.T) {
	t.Parallel()
	reloads, lasts := sized(4, 20), sized(2*time.Second, 60*time.Second)
	n := crowdOf(t, sized(120, 6000), 1)
	streams := n / 6
	row := newRow(t, "nobody closed, no gap, no repeat; heap within a tenth and 8 MiB, goroutines within 20 of before",
		"%d reloads in %v with %d WebSockets, half of them over HTTP/2, and %d streams", reloads, lasts, n-streams, streams)
	policy := func(i int) string { return fmt.Sprintf(reloadCrowdSite, 20+10*(i%2), 64+64*(i%2)) }
	p := integration.StartProcess(t, policy(0), "REALTIME_TEST_KEY="+appKey, "GODEBUG=http2xconnect=1")
	p.WaitLog("added certificate to cache")
	d := newDrill(t, "http://"+p.Addr("site")+"/rt", checker.Options{})
	channels := channelsOf("chat", max(4, n/100))
	overH2 := h2Dialer(t)
	for i := range n - streams {
		s := d.subscriber(channels[i%len(channels)])
		if i%2 == 0 {
			s.base, s.dialer = "http://"+p.Addr("secure")+"/rt", overH2
		}
	}
	for i := range streams {
		d.streamer(false, channels[i%len(channels)])
	}
	d.holdAll()
	d.publisher(&publisher{name: "ws", way: &byWS{base: d.base}, pick: turns(channels, 1), pause: 40 * time.Millisecond})
	d.publisher(&publisher{name: "http", way: newHTTP(d.base, appKey, false), pick: turns(channels, 1), pause: 40 * time.Millisecond})
	d.publish()
	d.goOn(20)
	server := profile{t, p.Addr("admin")}
	heap, goroutines := server.heap(), server.goroutines()

	for i := 1; i <= reloads; i++ {
		next := time.Now().Add(lasts / time.Duration(reloads))
		p.Reload(policy(i))
		d.goOn(3)
		time.Sleep(time.Until(next))
	}
	d.settle()
	r := d.verdict()
	if r.Gaps > 0 || r.Disconnects > 0 {
		t.Errorf("%d gaps, %d clients were disconnected", r.Gaps, r.Disconnects)
	}
	var now, grown int64
	until(t, "goroutines and heap are as before", func() bool {
		now, grown = server.goroutines(), server.heap()-heap
		return now <= goroutines+20 && grown <= heap/10+8<<20
	})
	row.came("%d goroutines before, %d after; heap %s before, %+.1f MiB after; %s", goroutines, now, mib(heap), float64(grown)/(1<<20), summary(d, r))
}

// holdAll is hold for all subscribers, several at a time.
func (d *drill) holdAll() {
	d.t.Helper()
	conns := make([]connection, len(d.subscribers))
	var failed atomic.Pointer[error]
	abreast(len(conns), func(i int) {
		c, err := d.subscribers[i].connect()
		if err != nil {
			failed.Store(&err)
			return
		}
		conns[i] = c
	})
	if err := failed.Load(); err != nil {
		d.t.Fatal(*err)
	}
	for i, c := range conns {
		d.following.Go(func() {
			if err := d.subscribers[i].follow(c); !d.leaving.Load() {
				d.t.Errorf("a connection has ended: %v", err)
			}
		})
	}
	d.gathered()
}

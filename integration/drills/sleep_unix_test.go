//go:build unix

package drills

import (
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

const sleepSite = `
http://{{site}} {
	realtime /rt {
		user {header.X-User}
		api_key {env.REALTIME_TEST_KEY}
		heartbeat 1s 1s
		room long:* {
			subscribe anyone
			publish anyone
			history 100000
		}
		room short:* {
			subscribe anyone
			publish anyone
			history 10
		}
		room hall:* {
			subscribe anyone
			presence {
				grace 1s
			}
		}
	}
}
`

// sleepTime is for how long a process is stopped. A machine that sleeps for two hours misses 206
// times the 35 s after which a silent client is closed by default. The site has 2 s instead, and the
// long drill keeps the ratio.
func sleepTime() time.Duration { return sized(6*time.Second, 412*time.Second) }

const sleepDone = "a process is stopped (SIGSTOP) for %v with `heartbeat 1s 1s`: "

// TestServerSleeps stops the process of the server. When it goes on, all clients are there, although
// none of them was heard for long.
func TestServerSleeps(t *testing.T) {
	t.Parallel()
	row := newRow(t, "nobody closed, no member leaves, no gap", sleepDone+"the server", sleepTime())
	p := integration.StartProcess(t, sleepSite, "REALTIME_TEST_KEY="+appKey)
	base, halls := "http://"+p.Addr("site")+"/rt", channelsOf("hall", 2)
	d := newDrill(t, base, checker.Options{})
	rooms := channelsOf("long", 2)
	for i := range 20 {
		d.hold(d.subscriber(rooms[i%2]))
		d.hold(d.streamer(false, rooms[i%2]))
	}
	d.gathered()
	d.publisher(&publisher{name: "ws", way: &byWS{base: base}, pick: turns(rooms, 1), pause: 20 * time.Millisecond})
	d.publish()
	watch := watchMembers(t, base, "watcher", halls)
	invite(t, base, "guest", 20, halls)
	until(t, "all members are there", func() bool { return watch.others() == 20 })
	calm := watch.changes()

	p.Pause()
	time.Sleep(sleepTime())
	p.Resume()
	awake := time.Now()
	d.goOn(30)
	back := time.Since(awake)
	time.Sleep(sized(4*time.Second, 10*time.Second)) // all heartbeats come due
	d.settle()
	r := d.verdict()
	if r.Gaps > 0 {
		t.Errorf("%d gaps", r.Gaps)
	}
	if n := watch.changes() - calm; n != 0 {
		t.Errorf("%d members came or went", n)
	}
	row.came("30 acknowledged %v after it goes on; 20 members stay; %s", back.Round(time.Millisecond), summary(d, r))
}

// sleepersVariable is set in the process of the clients that sleep: the URL of the server.
const sleepersVariable = "REALTIME_TEST_SLEEPERS"

// sleepers is how many clients sleep for each of the rooms.
const sleepers = 10

// TestClientsSleep stops the process of some clients. The server closes them, and others see
// them leave. When they go on, they come back and get what they have missed, or a gap.
func TestClientsSleep(t *testing.T) {
	t.Parallel()
	if base := os.Getenv(sleepersVariable); base != "" {
		sleep(t, base)
		return
	}
	row := newRow(t, "they leave; afterwards no gap where the history is long enough, one gap each elsewhere; others notice nothing", sleepDone+"%d clients", sleepTime(), 4*sleepers)
	p := integration.StartProcess(t, sleepSite, "REALTIME_TEST_KEY="+appKey)
	base := "http://" + p.Addr("site") + "/rt"
	rooms := []string{"long:1", "short:1"}
	d := newDrill(t, base, checker.Options{})
	for i := range 20 {
		d.hold(d.subscriber(rooms[i%2]))
	}
	d.gathered()
	// No client recovers more than 1,000 messages, however long the history is.
	pace := sized(20*time.Millisecond, 500*time.Millisecond)
	d.publisher(&publisher{name: "ws", way: &byWS{base: base}, pick: turns(rooms, 1), pause: pace})
	d.publish()
	watch := watchMembers(t, base, "watcher", []string{"hall:1"})

	clients := startClients(t, sleepersVariable+"="+base)
	until(t, "the clients are there", func() bool { return watch.others() == sleepers })
	clients.signal(syscall.SIGSTOP)
	began := time.Now()
	until(t, "the clients have left", func() bool { return watch.others() == 0 })
	left := time.Since(began)
	time.Sleep(sleepTime() - left)
	clients.signal(syscall.SIGCONT)
	awake := time.Now()
	until(t, "the clients are back", func() bool { return watch.others() == sleepers })
	back := time.Since(awake)
	d.settle()
	app := newHTTP(base, appKey, false)
	t.Cleanup(app.close)
	for _, room := range rooms {
		until(t, "all are in "+room, func() bool { return app.connections(room) == 10+2*sleepers })
	}
	said := clients.finish()
	r := d.verdict()
	watch.check()
	row.came("left after %.1f s, back %.1f s after they go on: %s; others: %s", left.Seconds(), back.Seconds(), said, summary(d, r))
}

// sleep is what the process of the clients runs, until its input ends. The kernel of a machine
// that is awake receives for a process that is stopped, so the server closes event streams only
// if that has no more space. A WebSocket has to answer by itself.
func sleep(t *testing.T, base string) {
	long, short, streams := newDrill(t, base, checker.Options{}), newDrill(t, base, checker.Options{}), newDrill(t, base, checker.Options{})
	for range sleepers {
		long.subscriber("long:1", "hall:1")
		short.subscriber("short:1")
		streams.streamer(false, "long:1")
		streams.streamer(false, "short:1")
	}
	all := []*drill{long, short, streams}
	for _, d := range all {
		d.away = true
		for _, s := range d.subscribers {
			d.following.Go(func() { d.comeBack(s) })
		}
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, d := range all {
		d.gathered()
	}
	l, s := long.verdict(), short.verdict()
	streams.verdict()
	if l.Gaps > 0 || l.Recovered != sleepers {
		t.Errorf("%d gaps with a long history, and %d of %d have recovered", l.Gaps, l.Recovered, sleepers)
	}
	if told := s.Subscriptions - s.Recovered; told != 2*sleepers {
		t.Errorf("with a short history %d subscriptions were new or had a gap, want one and one of each of %d clients", told, sleepers)
	}
	t.Logf("came of it: %d with a long history recovered all, %d were told of their gap", l.Recovered, s.Subscriptions-s.Recovered-sleepers)
}

package drills

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const killStoreSite = `
http://{{site}} {
	encode /rt/sse
	realtime /rt {
		user {header.X-User}
		api_key {env.REALTIME_TEST_KEY}
		store {env.REALTIME_TEST_STORE}
		notify {
			events connected disconnected occupied vacated entered left message changed
			secret {env.REALTIME_TEST_HOOK_SECRET}
			reverse_proxy {env.REALTIME_TEST_APP}
		}
		room news:* {
			subscribe anyone
			publish anyone
			history 1000
		}
		room hall:* {
			subscribe anyone
			presence
		}
		` + documentRoom + `
	}
}
`

// TestKillUnderLoadWithStore has everything on disk: nobody notices more than a lost connection. The
// checker finds a message that was acknowledged and is missing, and one that came twice.
// Documents, members and the app that is notified have checks of their own.
func TestKillUnderLoadWithStore(t *testing.T) {
	row := newRow(t, "no gap, no repeat; every acknowledged message, change and event is there", "`kill -9` under load, with the store")
	app := integration.StartHookApp(t)
	app.SetAnswer(moody())
	p := integration.StartProcess(t, killStoreSite, "REALTIME_TEST_KEY="+appKey, "REALTIME_TEST_STORE="+t.TempDir(),
		"REALTIME_TEST_APP="+app.Addr(), "REALTIME_TEST_HOOK_SECRET="+integration.HookSecret)
	base := "http://" + p.Addr("site") + "/rt"
	desk, hall := openDesk(t, base), openHall(t, base)
	app.Until("the members", drillLimit, func() bool { return app.Events.Count("entered") >= staying })
	d := killCrowd(t, p)
	crashes := d.crash(p, hall.check)

	version := desk.finish()
	hall.check()
	if n := left(app); n != 0 {
		t.Errorf("%d members have left who were never told to", n)
	}
	hall.leave()
	d.disperse()
	r := d.verdict()
	if told := r.Subscriptions - r.Recovered; told != 2*len(d.subscribers) {
		t.Errorf("of %d subscriptions %d have recovered over %d crashes; only the first ones have nothing to recover", r.Subscriptions, r.Recovered, crashes)
	}
	judgeEvents(t, app, d, version)
	row.came("%d kills; %d changes of a document; %s", crashes, version, summary(d, r))
}

// moody returns what an app does that refuses some requests after it has seen the events.
func moody() func(w http.ResponseWriter, r *http.Request) bool {
	var requests atomic.Int32
	return func(w http.ResponseWriter, _ *http.Request) bool {
		if requests.Add(1)%10 == 9 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return false
		}
		return true
	}
}

// left counts the events `left` of the members who stay.
func left(app *integration.HookApp) (n int) {
	for _, e := range app.Events.All() {
		if e.Type == "left" && strings.HasPrefix(e.User, "stays") {
			n++
		}
	}
	return n
}

// judgeEvents waits until the app was notified of everything, and checks that each message and each
// change came, in its order, and that all that has started has ended.
func judgeEvents(t *testing.T, app *integration.HookApp, d *drill, version uint64) {
	t.Helper()
	app.Until("the end of everything", drillLimit, func() bool {
		open, _ := app.Events.Open()
		return open == 0
	})
	app.Check()
	tops := make(map[string]uint64) // by channel
	messages := make(map[string]bool)
	for _, e := range app.Events.All() {
		at := max(e.Offset, e.Version)
		switch e.Type {
		case "lost":
			t.Errorf("%d events were lost", e.Count)
		case "message", "changed":
			if tops[e.Channel]++; at != tops[e.Channel] {
				t.Fatalf("%s: the app was notified of %d where %d should be", e.Channel, at, tops[e.Channel])
			}
			messages[e.Channel+" "+delivered{Content: e.Content}.id()] = true
		}
	}
	if tops[deskChannel] != version {
		t.Errorf("the app was notified of %d changes of %d", tops[deskChannel], version)
	}
	for _, p := range d.publishers {
		for _, m := range p.done {
			if !messages[m] {
				t.Errorf("the app was not notified of %s, which was acknowledged", m)
			}
		}
	}
	_, repeated := app.Events.Open()
	t.Logf("%d events, %d of them again; %d changes", len(app.Events.All()), repeated, version)
	if repeated == 0 {
		t.Error("no event came again, although the app has refused some")
	}
}

// untilOver waits for a time, or until the end of a drill. It reports whether the drill goes on.
func untilOver(over <-chan struct{}, d time.Duration) bool {
	select {
	case <-over:
		return false
	case <-time.After(d):
		return true
	}
}

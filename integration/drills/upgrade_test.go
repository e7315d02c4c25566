package drills

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/disk"
	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// TestUpgradeUnderLoad stops a Caddy with a store by `caddy stop` while a crowd publishes and reads,
// and starts it again, as for a new binary. All clients come back and recover everything, and
// a member of a room was never gone. Copies of the file that are taken meanwhile are consistent. The checker finds a message that was acknowledged
// and is missing, and one that came twice.
func TestUpgradeUnderLoad(t *testing.T) {
	dir := t.TempDir()
	site := strings.NewReplacer(
		"http://{{site}} {", "{\n\tadmin {{admin}}\n}\nhttp://{{site}} {",
		"room news:*", "store "+dir+"\n\t\tdrain 500ms 5s\n\t\tuser {header.X-User}\n\t\troom desk {\n\t\t\tsubscribe anyone\n\t\t\tpresence\n\t\t}\n\t\troom news:*",
	).Replace(killSite)
	p := integration.StartProcess(t, site, "REALTIME_TEST_KEY="+appKey)
	d := newDrill(t, "http://"+p.Addr("site")+"/rt", checker.Options{})
	d.away = true
	channels := channelsOf("news", 4)
	for i := range 20 {
		d.subscriber(channels[i%4], channels[(i+1)%4])
		d.streamer(i%3 == 0, channels[i%4], channels[(i+1)%4])
	}
	d.publisher(&publisher{name: "ws", way: &byWS{base: d.base}, pick: turns(channels, 1), pause: 5 * time.Millisecond})
	d.publisher(&publisher{name: "batch", way: newHTTP(d.base, appKey, true), pick: turns(channels, 2), pause: 5 * time.Millisecond})
	for _, s := range d.subscribers {
		d.following.Go(func() { d.comeBack(s) })
	}
	d.gathered()
	enter(t, d.base, "ann")
	d.publish()
	for range 5 {
		enough := d.acked() + 20
		until(t, "publishing goes on", func() bool { return d.acked() >= enough })
		checkCopy(t, p, dir, d)
	}

	began := time.Now()
	if out, err := exec.Command(integration.Program(t), "stop", "--address", p.Addr("admin")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if code := p.WaitExit(); code != 0 {
		t.Errorf("the exit code is %d", code)
	}
	p.Start()
	d.gathered()
	t.Logf("all are back %v after the command", time.Since(began).Round(time.Millisecond))
	neverGone(t, d.base, "ann")
	d.settle()
	r := d.verdict()
	if told := r.Subscriptions - r.Recovered; told != 2*len(d.subscribers) {
		t.Errorf("of %d subscriptions %d have recovered; only the first ones have nothing to recover", r.Subscriptions, r.Recovered)
	}
}

// checkCopy copies the store as it is at one moment, between two writes of the process or in the
// middle of a commit, as a power cut or a snapshot of the file system would. The copy is consistent
// and has every message that was acknowledged.
func checkCopy(t *testing.T, p *integration.Process, dir string, d *drill) {
	t.Helper()
	acked := d.acked()
	copied := t.TempDir()
	p.Pause()
	err := os.CopyFS(copied, os.DirFS(dir))
	p.Resume()
	if err != nil {
		t.Fatal(err)
	}
	r, err := disk.Check(copied, nil)
	switch {
	case err != nil:
		t.Errorf("a copy can not be checked: %v", err)
	case len(r.Problems) > 0:
		t.Errorf("a copy is not consistent: %q", r.Problems)
	case r.Records["messages"] < acked:
		t.Errorf("a copy has %d messages, %d were acknowledged before", r.Records["messages"], acked)
	}
}

// enter makes a user a member of the room desk, until the test or the server ends.
func enter(t *testing.T, base, user string) {
	t.Helper()
	c := dialWS(t, base, http.Header{"X-User": {user}})
	if ev, err := c.call("subscribe", map[string]string{"channel": "desk"}); err != nil || ev.Type != "subscribed" {
		t.Fatalf("%v, %v", ev, err)
	}
}

// neverGone has a user come back whom the server before had as a member of the room desk. Others see
// the user there before that, and no event about the return.
func neverGone(t *testing.T, base, user string) {
	t.Helper()
	w := watchMembers(t, base, "observer", []string{"desk"})
	if !w.sees("desk", user) {
		t.Errorf("%s is gone before the return", user)
	}
	seen := func(other string) int {
		enter(t, base, other)
		until(t, other+" is seen", func() bool { return w.sees("desk", other) })
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.events
	}
	before := seen("first")
	enter(t, base, user)
	if after := seen("second"); after != before+1 || !w.sees("desk", user) {
		t.Errorf("the return of %s has made %d events", user, after-before-1)
	}
	w.check()
}

// sees reports whether a member is in a room.
func (w *memberWatch) sees(channel, id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.here[channel][id]
}

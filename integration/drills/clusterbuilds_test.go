package drills

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// onlyLong reports that a drill is left out because it has to compile a Caddy.
func onlyLong() bool { return !longDrills }

// run runs a program in the folder of the module and returns what it says.
func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// skewed builds a Caddy whose clock is wrong by the seconds in REALTIME_DRILL_SKEW. Go
// asks the system for the time without any library that could be replaced, so that it
// is package time itself that adds to it. The monotonic clock is right, as it is on a
// machine with a wrong date.
func skewed(t *testing.T) string {
	t.Helper()
	root, dir := run(t, "", "go", "list", "-m", "-f", "{{.Dir}}"), t.TempDir()
	original := filepath.Join(run(t, root, "go", "env", "GOROOT"), "src", "time", "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	const asks = "sec, nsec, mono := runtimeNow()"
	begin, now, ok := strings.Cut(string(source), "\nfunc Now() Time {")
	if !ok || !strings.Contains(now, asks) {
		t.Fatal("package time has another form than this test knows")
	}
	added := filepath.Join(filepath.Dir(original), "drillskew.go")
	replaced := make(map[string]string)
	for file, text := range map[string]string{
		original: begin + "\nfunc Now() Time {" + strings.Replace(now, asks, asks+"\n\tsec += drillSkew", 1),
		added: "package time\n\nimport \"syscall\"\n\nvar drillSkew = func() int64 {\n\tby, _ := syscall.Getenv(\"REALTIME_DRILL_SKEW\")\n" +
			"\tn, _ := atoi(by)\n\treturn int64(n)\n}()\n",
	} {
		replaced[file] = filepath.Join(dir, filepath.Base(file))
		if err := os.WriteFile(replaced[file], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "caddy")
	list, _ := json.Marshal(map[string]any{"Replace": replaced})
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, root, "go", "build", "-overlay", overlay, "-o", program, "./cmd/caddy")
	return program
}

// TestClusterSkew has one node ten minutes fast and another ten minutes slow. Order,
// lifetimes and leases go by the clock of Redis alone.
func TestClusterSkew(t *testing.T) {
	if onlyLong() {
		return
	}
	const skew = 10 * time.Minute
	wrong, c := skewed(t), &cluster{t: t, redis: redistest.Start(t)}
	for _, by := range []time.Duration{skew, -skew, 0} {
		link := faultproxy.Start(t, c.redis.Addr)
		env := append(clusterEnv(link.Addr()), fmt.Sprint("REALTIME_DRILL_SKEW=", int(by.Seconds())))
		c.add(link, integration.StartProgram(t, wrong, clusterSite, env...))
	}
	rooms := channelsOf("chat", 50)
	watch := watchMembers(t, c.nodes[2].base, "watcher", rooms)
	fast := invite(t, c.nodes[0].base, "fast", 200, rooms)
	invite(t, c.nodes[1].base, "slow", 200, rooms)
	until(t, "all members are seen", func() bool { return watch.others() == 400 })
	d := c.crowd(100, checker.Options{})
	d.publish()
	d.goOn(500)
	brief := c.briefly(t)
	time.Sleep(lease + 2*time.Second)
	if n := watch.others(); n != 400 {
		t.Errorf("%d members after more than a lease, want 400", n)
	}
	c.nodes[0].Kill()
	began := time.Now()
	until(t, "the members of the fast node have left", func() bool { return watch.others() == 200 })
	left := time.Since(began)
	within(t, "the members of the fast node have left after", left, lease+2*time.Second)
	fast.leave()
	c.nodes[0].Start()
	d.goOn(500)
	d.settle()
	r := d.verdict()
	if r.Gaps > 0 {
		t.Errorf("%d gaps, and Redis has lost nothing", r.Gaps)
	}
	watch.check()
	result(t, "clocks 10 min fast and 10 min slow", "no gap, no repeat; leases and lifetimes as with right clocks", "a history of 3 s lasted %s; no member left, those of the killed fast node after %.1f s; %s",
		brief, left.Seconds(), summary(d, r))
}

// briefly publishes on each node into a room whose messages live for three seconds,
// and says for how long the others had them.
func (c *cluster) briefly(t *testing.T) string {
	t.Helper()
	var took []string
	for i, node := range c.nodes {
		channel := fmt.Sprint("brief:", i)
		from, other := newHTTP(node.base, appKey, false), newHTTP(c.nodes[(i+1)%len(c.nodes)].base, appKey, false)
		// It lives from some time before the answer, which may take long.
		began := time.Now()
		if _, err := from.publish(post{channels: []string{channel}, id: "brief"}); err != nil {
			t.Fatal(err)
		}
		kept := func() int {
			var page struct{ Messages []json.RawMessage }
			if err := other.get("/channels/"+channel+"/messages", &page); err != nil {
				t.Fatal(err)
			}
			return len(page.Messages)
		}
		until(t, "it has expired", func() bool { return kept() == 0 })
		lasted := time.Since(began)
		if lasted < 2900*time.Millisecond {
			t.Errorf("a message of node %d has lasted %v", i, lasted)
		}
		within(t, "a message has lasted", lasted, 5*time.Second)
		took = append(took, fmt.Sprintf("%.1f s", lasted.Seconds()))
		from.close()
		other.close()
	}
	return strings.Join(took, ", ")
}

// oldVersion is the commit that [TestClusterMixed] runs beside this one. It has to
// understand the same JSON configuration.
var oldVersion = cmp.Or(os.Getenv("REALTIME_DRILLS_OLD"), "c86b87f")

// TestClusterMixed has a node of an older version among those of this one, as they
// are during an upgrade.
func TestClusterMixed(t *testing.T) {
	if onlyLong() {
		return
	}
	root := run(t, "", "go", "list", "-m", "-f", "{{.Dir}}")
	dir := t.TempDir()
	run(t, root, "git", "worktree", "add", "--detach", filepath.Join(dir, "old"), oldVersion)
	t.Cleanup(func() { run(t, root, "git", "worktree", "remove", "--force", filepath.Join(dir, "old")) })
	program := filepath.Join(dir, "caddy")
	run(t, filepath.Join(dir, "old"), "go", "build", "-o", program, "./cmd/caddy")

	c := &cluster{t: t, redis: redistest.Start(t)}
	for i := range 3 {
		link := faultproxy.Start(t, c.redis.Addr)
		if i == 0 {
			site := strings.Replace(clusterSite, documentRoom, "", 1)
			c.add(link, integration.StartProgram(t, program, site, clusterEnv(link.Addr())...))
		} else {
			c.add(link, integration.StartProcess(t, clusterSite, clusterEnv(link.Addr())...))
		}
	}
	rooms := channelsOf("chat", 50)
	watches := []*memberWatch{
		watchMembers(t, c.nodes[0].base, "watcher", rooms),
		watchMembers(t, c.nodes[1].base, "watcher", rooms),
	}
	invite(t, c.nodes[0].base, "old", 100, rooms)
	fresh := invite(t, c.nodes[2].base, "new", 100, rooms)
	everybody := func(others int) {
		for _, w := range watches {
			until(t, "all members are seen", func() bool { return w.others() == others })
		}
	}
	everybody(200)
	d := c.crowd(100, checker.Options{})
	d.publish()
	d.goOn(2000)
	for i, node := range c.nodes {
		if n := listed(t, node.base, rooms); n != 250 {
			t.Errorf("node %d lists %d members, want 250", i, n)
		}
	}
	c.nodes[2].Kill() // the old one may be who cleans up
	everybody(100)
	fresh.leave()
	c.nodes[2].Start()
	c.breakLinks(10 * time.Second)
	d.goOn(2000)
	d.settle()
	r := d.verdict()
	if r.Gaps > 0 {
		t.Errorf("%d gaps, and Redis has lost nothing", r.Gaps)
	}
	for _, w := range watches {
		w.check()
	}
	result(t, "a node of an older version ("+oldVersion+") among new ones", "no gap, no repeat", "members, history and messages both ways; %s", summary(d, r))
}

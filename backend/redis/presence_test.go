package redis

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// nodeVariable has the address of Redis in a process that is a node of a drill.
const nodeVariable = "REALTIME_TEST_PRESENCE_NODE"

// presenceChecker is a sink that checks that each member enters and leaves in turn.
type presenceChecker struct {
	mu      sync.Mutex
	here    map[string]bool // by room and key
	entered int
	left    int
	missed  int
	wrong   []string
}

func newAlternating() *presenceChecker { return &presenceChecker{here: make(map[string]bool)} }

func (a *presenceChecker) Changed(channel string, evs ...presence.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, ev := range evs {
		who := channel + "/" + ev.Member.Key
		if enters := ev.Kind == presence.Entered; ev.Kind != presence.Updated && a.here[who] == enters {
			a.wrong = append(a.wrong, fmt.Sprint(who, " ", ev.Kind))
		}
		switch ev.Kind {
		case presence.Entered:
			a.here[who] = true
			a.entered++
		case presence.Left:
			a.here[who] = false
			a.left++
		}
	}
}

func (a *presenceChecker) Missed(string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.missed++
}

// seen returns the numbers of events.
func (a *presenceChecker) seen() (entered, left int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.entered, a.left
}

// memberNode is a node of a drill.
type memberNode struct {
	t *testing.T
	presence.Store
	*presenceChecker
}

func newMembers(t *testing.T, o Options) *memberNode {
	a := newAlternating()
	p := open(t, o).Presence(a)
	t.Cleanup(func() { p.Close() })
	return &memberNode{t, p, a}
}

// setMember makes a member enter or leave, and repeats that until it succeeds.
func (n *memberNode) setMember(channel, key string, here bool) {
	for n.t.Context().Err() == nil {
		var err error
		if here {
			err = n.Enter(n.t.Context(), channel, []*presence.Member{{Key: key}})
		} else {
			err = n.Leave(n.t.Context(), channel, []presence.Departure{{Key: key}})
		}
		if err == nil {
			return
		}
		_ = pause(n.t.Context(), 10*time.Millisecond)
	}
}

// awaitMembers waits until exactly these members are in a room.
func (n *memberNode) awaitMembers(channel string, want ...string) {
	n.t.Helper()
	slices.Sort(want)
	var got []string
	over := time.Now().Add(patience)
	for {
		page, err := n.List(n.t.Context(), channel, presence.Query{Limit: listLimit})
		if got = nil; err == nil {
			for _, m := range page.Members {
				got = append(got, m.Key)
			}
			if slices.Equal(got, want) && page.Count == len(want) {
				return
			}
		}
		if time.Now().After(over) {
			n.t.Fatalf("%s has %d members %.200q (%v), want %d: %.200q", channel, len(got), got, err, len(want), want)
		}
		_ = pause(n.t.Context(), 20*time.Millisecond)
	}
}

// A node is paused for longer than its lease: its members leave. It runs again: they are back.
// It is killed: they leave for good.
func TestDrillPausedNode(t *testing.T) {
	t.Parallel()
	const many = 700
	s := startServer(t)
	n := newMembers(t, Options{Address: s.Addr, Lease: 500 * time.Millisecond})
	if err := n.Attach(t.Context(), "room"); err != nil {
		t.Fatal(err)
	}
	n.setMember("room", "stays", true)
	c := exec.Command(os.Args[0], "-test.run=^TestPresenceNode$")
	c.Env = append(os.Environ(), nodeVariable+"="+s.Addr)
	out, _ := c.StdoutPipe()
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Wait()
	defer c.Process.Kill()
	defer in.Close()
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "entered" {
	}
	all := []string{"stays"}
	for i := range many {
		all = append(all, fmt.Sprintf("m%03d", i))
	}
	n.awaitMembers("room", all...)
	signal := func(s syscall.Signal) {
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	n.awaitMembers("room", "stays")
	signal(syscall.SIGCONT)
	n.awaitMembers("room", all...)
	signal(syscall.SIGKILL)
	n.awaitMembers("room", "stays")
	// A busy machine may pause the node once more.
	eventually(t, "all is told", func() bool {
		entered, left := n.seen()
		return entered >= 2*many+1 && left == entered-1
	})
	if len(n.wrong) > 0 || n.missed > 0 {
		t.Errorf("%d events do not follow: %.500q; %d times something was missed", len(n.wrong), n.wrong, n.missed)
	}
}

// TestPresenceNode is the process of the drill. Alone it does nothing.
func TestPresenceNode(t *testing.T) {
	addr := os.Getenv(nodeVariable)
	if addr == "" {
		return
	}
	n := newMembers(t, Options{Address: addr, Lease: 500 * time.Millisecond})
	var ms []*presence.Member
	for i := range 700 {
		ms = append(ms, &presence.Member{Key: fmt.Sprintf("m%03d", i)})
	}
	if err := n.Enter(t.Context(), "room", ms); err != nil {
		t.Fatal(err)
	}
	fmt.Println("\nentered")
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the drill ends
}

// Redis comes back empty, and every node enters its members again.
func TestDrillPresenceRestart(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := quickOptions(s.Addr)
	o.Lease = time.Second
	a, b := newMembers(t, o), newMembers(t, o)
	if err := b.Attach(t.Context(), "room"); err != nil {
		t.Fatal(err)
	}
	a.setMember("room", "a", true)
	b.setMember("room", "b", true)
	b.awaitMembers("room", "a", "b")
	s.Kill()
	if _, err := a.List(t.Context(), "room", presence.Query{Limit: 1}); err == nil {
		t.Error("a list without Redis")
	}
	s.Restart()
	b.awaitMembers("room", "a", "b")
	eventually(t, "the node is told that it missed something", func() bool {
		b.presenceChecker.mu.Lock()
		defer b.presenceChecker.mu.Unlock()
		return b.missed > 0
	})
}

// A replica without the latest changes takes over. Members who left do not stay, and members
// who entered are there, whether anything happens afterwards or not.
func TestDrillPresenceRollback(t *testing.T) {
	t.Parallel()
	for name, after := range map[string][]string{"nothing happens": nil, "as much happens": {"c", "d"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t)
			n := newMembers(t, Options{Address: s.Addr, Timeout: 10 * time.Second, Lease: 3 * time.Second})
			if err := n.Attach(t.Context(), "room"); err != nil {
				t.Fatal(err)
			}
			n.setMember("room", "a", true)
			n.setMember("other", "a", true)
			dump := s.dump()
			n.setMember("room", "b", true)
			n.setMember("other", "a", false)
			s.restoreAll(dump)
			for _, key := range after {
				n.setMember("third", key, true)
			}
			n.awaitMembers("room", "a", "b")
			n.awaitMembers("other")
			n.awaitMembers("third", after...)
		})
	}
}

// Redis's clock is set back, or a replica whose clock is behind takes over. Then a dead node
// seems to have a long lease.
func TestPresenceClockSetBack(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := Options{Address: s.Addr, Timeout: 10 * time.Second, Lease: 2 * time.Second}
	stays, dies := newMembers(t, o), newMembers(t, o)
	stays.setMember("room", "a", true)
	dies.setMember("room", "b", true)
	p := dies.Store.(*Presence)
	p.cancel()
	p.wg.Wait()
	name, _ := p.currentName()
	s.do("zadd", p.c.names.leases(), time.Now().Add(time.Hour).UnixMilli(), name)
	stays.awaitMembers("room", "a")
}

// The first beat of a node found no Redis, and its first members gave it its lease. When Redis
// comes back empty, the node knows that it had one.
func TestPresenceRestartBeforeBeat(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPresence(open(t, Options{Address: s.Addr}).shards[0], newAlternating())
	n := &memberNode{t, p, p.sink.(*presenceChecker)}
	n.setMember("room", "a", true)
	n.awaitMembers("room", "a")
	s.do("flushall")
	for range 2 {
		p.beat()
	}
	n.awaitMembers("room", "a")
}

// Redis does not answer for longer than the leases last. Idle rooms learn that they may have
// missed something. Nobody leaves, because the nodes were not away.
func TestDrillPresencePause(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := hastyOptions(s.Addr)
	o.Lease = time.Second
	a, b := newMembers(t, o), newMembers(t, o)
	if err := b.Attach(t.Context(), "room"); err != nil {
		t.Fatal(err)
	}
	a.setMember("room", "a", true)
	b.setMember("room", "b", true)
	b.awaitMembers("room", "a", "b")
	s.Pause()
	eventually(t, "the node is told that it may miss something", func() bool {
		b.presenceChecker.mu.Lock()
		defer b.presenceChecker.mu.Unlock()
		return b.missed > 0
	})
	time.Sleep(2 * o.Lease)
	s.Resume()
	beats := func(n *memberNode) func() bool {
		began := int64(uptime())
		return func() bool { return n.Store.(*Presence).c.leaseRenewedAt.Load() > began }
	}
	for range 3 {
		eventually(t, "the leases are renewed", beats(a))
	}
	b.awaitMembers("room", "a", "b")
	if _, left := b.seen(); left > 0 {
		t.Errorf("%d members left", left)
	}
}

// Three nodes enter and leave with the same members while their links break.
func TestDrillPresenceLinks(t *testing.T) {
	t.Parallel()
	const rooms, keys = 5, 12
	s := startServer(t)
	var nodes []*memberNode
	var proxies []*faultproxy.Proxy
	for range 3 {
		p := faultproxy.Start(t, s.Addr)
		o := hastyOptions(p.Addr())
		o.Lease = 400 * time.Millisecond
		proxies, nodes = append(proxies, p), append(nodes, newMembers(t, o))
	}
	watcher := newMembers(t, patientOptions(s.Addr))
	for r := range rooms {
		if err := watcher.Attach(t.Context(), fmt.Sprint("room:", r)); err != nil {
			t.Fatal(err)
		}
	}
	end := time.Now().Add(4 * time.Second)
	held := make([]map[string]bool, 3*rooms) // by node and room
	var wg sync.WaitGroup
	for i, n := range nodes {
		for r := range rooms {
			mine := make(map[string]bool)
			held[i*rooms+r] = mine
			wg.Go(func() {
				for time.Now().Before(end) {
					key := fmt.Sprint("u", rand.N(keys))
					mine[key] = !mine[key]
					n.setMember(fmt.Sprint("room:", r), key, mine[key])
				}
			})
		}
	}
	for time.Now().Before(end) {
		p := proxies[rand.N(3)]
		[]func(){p.Reset, p.Stall, p.Away}[rand.N(3)]()
		_ = pause(t.Context(), 50*time.Millisecond+rand.N(900*time.Millisecond))
		p.Heal()
	}
	wg.Wait()
	for r := range rooms {
		here := make(map[string]bool)
		for i := range nodes {
			for key, is := range held[i*rooms+r] {
				if is {
					here[key] = true
				}
			}
		}
		var want []string
		for key := range here {
			want = append(want, key)
		}
		watcher.awaitMembers(fmt.Sprint("room:", r), want...)
	}
	entered, left := watcher.seen()
	if len(watcher.wrong) > 0 || watcher.missed > 0 {
		t.Errorf("%d events do not follow: %s; %d times something was missed", len(watcher.wrong), strings.Join(watcher.wrong, ", "), watcher.missed)
	}
	t.Logf("%d entered, %d left", entered, left)
}

// A script that was stuck in a broken connection arrives when it is no longer true.
func TestLateScript(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newMembers(t, Options{Address: s.Addr})
	n.setMember("room", "a", true)
	n.setMember("room", "b", true)
	p := n.Store.(*Presence)
	name, _ := p.currentName()
	late := p.changeCall(enterMembersScript, "room", name, enterArgs([]*presence.Member{{Key: "a"}}))
	n.setMember("room", "a", false)
	for range 2 {
		if _, err := p.run(t.Context(), late.copyUnsent()); err != nil {
			t.Fatal(err)
		}
	}
	n.awaitMembers("room", "b")
}

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

// nodeVariable has the address of Redis, in a process that is a node of a drill.
const nodeVariable = "REALTIME_TEST_PRESENCE_NODE"

// alternating is a sink that sees to it that members enter and leave by turns.
type alternating struct {
	mu      sync.Mutex
	here    map[string]bool // by room and key
	entered int
	left    int
	missed  int
	wrong   []string
}

func newAlternating() *alternating { return &alternating{here: make(map[string]bool)} }

func (a *alternating) Changed(channel string, evs ...presence.Event) {
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

func (a *alternating) Missed(string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.missed++
}

// seen are the numbers of events.
func (a *alternating) seen() (entered, left int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.entered, a.left
}

// memberNode is a node of a drill.
type memberNode struct {
	t *testing.T
	presence.Store
	*alternating
}

func newMembers(t *testing.T, o Options) *memberNode {
	a := newAlternating()
	p := open(t, o).Presence(a)
	t.Cleanup(func() { p.Close() })
	return &memberNode{t, p, a}
}

// tell enters or leaves until it succeeds.
func (n *memberNode) tell(channel, key string, here bool) {
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

// lists waits until exactly these members are in a room.
func (n *memberNode) lists(channel string, want ...string) {
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

// A node is paused for longer than its lease: its members leave. It goes on: they are
// back. It is killed: they leave for good.
func TestDrillPausedNode(t *testing.T) {
	t.Parallel()
	const many = 700
	s := startServer(t)
	n := newMembers(t, Options{Address: s.Addr, Lease: 500 * time.Millisecond})
	if err := n.Attach(t.Context(), "room"); err != nil {
		t.Fatal(err)
	}
	n.tell("room", "stays", true)
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
	n.lists("room", all...)
	signal := func(s syscall.Signal) {
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	n.lists("room", "stays")
	signal(syscall.SIGCONT)
	n.lists("room", all...)
	signal(syscall.SIGKILL)
	n.lists("room", "stays")
	// A busy machine may pause the node once more.
	eventually(t, "all is told", func() bool {
		entered, left := n.seen()
		return entered >= 2*many+1 && left == entered-1
	})
	if len(n.wrong) > 0 || n.missed > 0 {
		t.Errorf("%d events do not follow: %.500q; %d times something was missed", len(n.wrong), n.wrong, n.missed)
	}
}

// TestPresenceNode is what the process of the drill runs; by itself it does nothing.
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
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the drill is over
}

// Redis comes back empty: every node enters its members again.
func TestDrillPresenceRestart(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := quickly(s.Addr)
	o.Lease = time.Second
	a, b := newMembers(t, o), newMembers(t, o)
	if err := b.Attach(t.Context(), "room"); err != nil {
		t.Fatal(err)
	}
	a.tell("room", "a", true)
	b.tell("room", "b", true)
	b.lists("room", "a", "b")
	s.Kill()
	if _, err := a.List(t.Context(), "room", presence.Query{Limit: 1}); err == nil {
		t.Error("a list without Redis")
	}
	s.Restart()
	b.lists("room", "a", "b")
	eventually(t, "the node is told that it missed something", func() bool {
		b.alternating.mu.Lock()
		defer b.alternating.mu.Unlock()
		return b.missed > 0
	})
}

// A replica takes over that lacks the latest changes: who has left does not stay, and who
// has entered is there, whether anything happens afterwards or not.
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
			n.tell("room", "a", true)
			n.tell("other", "a", true)
			dump := s.dump()
			n.tell("room", "b", true)
			n.tell("other", "a", false)
			s.restoreAll(dump)
			for _, key := range after {
				n.tell("third", key, true)
			}
			n.lists("room", "a", "b")
			n.lists("other")
			n.lists("third", after...)
		})
	}
}

// Redis's clock is set back, or a replica takes over whose clock is behind: a node that
// is dead seems to have a lease for long.
func TestPresenceClockSetBack(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := Options{Address: s.Addr, Timeout: 10 * time.Second, Lease: 2 * time.Second}
	stays, dies := newMembers(t, o), newMembers(t, o)
	stays.tell("room", "a", true)
	dies.tell("room", "b", true)
	p := dies.Store.(*Presence)
	p.cancel()
	p.wg.Wait()
	name, _ := p.currentName()
	s.do("zadd", p.c.names.leases(), time.Now().Add(time.Hour).UnixMilli(), name)
	stays.lists("room", "a")
}

// A node whose first members gave it its lease, because its first beat found no Redis,
// knows that it had one when Redis comes back empty.
func TestPresenceRestartBeforeBeat(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPresence(open(t, Options{Address: s.Addr}).shards[0], newAlternating())
	n := &memberNode{t, p, p.sink.(*alternating)}
	n.tell("room", "a", true)
	n.lists("room", "a")
	s.do("flushall")
	for range 2 {
		p.beat()
	}
	n.lists("room", "a")
}

// Redis does not answer for longer than the leases last: rooms in which nothing happens
// learn that there may be something they miss, and nobody leaves, because it was not
// the nodes that were away.
func TestDrillPresencePause(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := hastily(s.Addr)
	o.Lease = time.Second
	a, b := newMembers(t, o), newMembers(t, o)
	if err := b.Attach(t.Context(), "room"); err != nil {
		t.Fatal(err)
	}
	a.tell("room", "a", true)
	b.tell("room", "b", true)
	b.lists("room", "a", "b")
	s.Pause()
	eventually(t, "the node is told that it may miss something", func() bool {
		b.alternating.mu.Lock()
		defer b.alternating.mu.Unlock()
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
	b.lists("room", "a", "b")
	if _, left := b.seen(); left > 0 {
		t.Errorf("%d members left", left)
	}
}

// Three nodes come and go with the same members while their links break.
func TestDrillPresenceLinks(t *testing.T) {
	t.Parallel()
	const rooms, keys = 5, 12
	s := startServer(t)
	var nodes []*memberNode
	var proxies []*faultproxy.Proxy
	for range 3 {
		p := faultproxy.Start(t, s.Addr)
		o := hastily(p.Addr())
		o.Lease = 400 * time.Millisecond
		proxies, nodes = append(proxies, p), append(nodes, newMembers(t, o))
	}
	watcher := newMembers(t, patient(s.Addr))
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
					n.tell(fmt.Sprint("room:", r), key, mine[key])
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
		watcher.lists(fmt.Sprint("room:", r), want...)
	}
	entered, left := watcher.seen()
	if len(watcher.wrong) > 0 || watcher.missed > 0 {
		t.Errorf("%d events do not follow: %s; %d times something was missed", len(watcher.wrong), strings.Join(watcher.wrong, ", "), watcher.missed)
	}
	t.Logf("%d entered, %d left", entered, left)
}

// What was stuck in a broken connection arrives when it is no longer true.
func TestLateScript(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newMembers(t, Options{Address: s.Addr})
	n.tell("room", "a", true)
	n.tell("room", "b", true)
	p := n.Store.(*Presence)
	name, _ := p.currentName()
	late := p.changeCall(enterMembersScript, "room", name, enterArgs([]*presence.Member{{Key: "a"}}))
	n.tell("room", "a", false)
	for range 2 {
		if _, err := p.run(t.Context(), late.copyUnsent()); err != nil {
			t.Fatal(err)
		}
	}
	n.lists("room", "b")
}

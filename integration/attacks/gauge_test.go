package attacks

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const (
	// A row is over when the server is quiet: when it takes less than half of a
	// processor for so long. So a row pays for what it has set going.
	quietTime = 30 * time.Millisecond
	// slack is how much memory the server may have to give back when a row begins.
	// Beyond it the rows before would hide what this one takes.
	slack = 32 << 20
	// pairChannel is where neighbours ping.
	pairChannel = "neighbours:1"
)

// spared is the Caddyfile of a server that nobody attacks. How long pings through
// it take is the machine's doing.
const spared = `
http://{{site}} {
	realtime /rt {
		room neighbours:* {
			subscribe anyone
			publish anyone
		}
	}
}
`

// gauge measures what a row costs the server and the neighbours.
type gauge struct {
	// Static.
	t           *testing.T // that of the whole table
	server      *integration.Process
	site, admin target // of the server

	pair    *pair // through the server
	control *pair // through a server that is spared
	floor   int64 // RSS of the server when it started

	// Of the row that runs.
	watched *integration.Process // nil if it needs no server
	before  usage
	first   [2]int // pings before it, of both pairs
	allowed bounds
}

func newGauge(t *testing.T, p *integration.Process, site, admin target) *gauge {
	u, _ := usageOf(p.PID())
	quiet := integration.StartProcess(t, spared)
	return &gauge{
		t: t, server: p, site: site, admin: admin, floor: u.rss,
		pair:    newPair(t, site, pairChannel),
		control: newPair(t, target(quiet.Addr("site")), pairChannel),
	}
}

// begin begins a row. A server or a pair that the row before has ended begins anew.
func (g *gauge) begin() {
	g.clean()
	if !g.server.Running() {
		g.server.Start()
		u, _ := usageOf(g.server.PID())
		g.floor = u.rss
	}
	if g.pair.broken() != "" {
		g.pair = newPair(g.t, g.site, pairChannel)
	}
	g.allowed = bounds{}
	g.first = [2]int{g.pair.pings(), g.control.pings()}
	g.watch(g.server)
}

// clean ends the server if it holds much more memory than before the rows: new memory of
// the next row would not be seen beside what is free in the heap. A collection alone does
// not help, because Go gives the system 400 MiB back in a minute.
func (g *gauge) clean() {
	const step, rounds = 200 * time.Millisecond, 2
	for range rounds {
		if u, _ := usageOf(g.server.PID()); u.rss <= g.floor+slack {
			return
		}
		g.admin.heap(g.t, "HeapAlloc")
		time.Sleep(step)
	}
	if u, _ := usageOf(g.server.PID()); u.rss > g.floor+slack {
		g.server.Terminate()
		g.server.WaitExit()
	}
}

// watch has the row measured on a server of its own, from now on.
func (g *gauge) watch(p *integration.Process) {
	g.watched = p
	forgetPeak(p.PID())
	g.before, _ = usageOf(p.PID())
}

// unwatch is for rows that attack no server, but what is in this process.
func (g *gauge) unwatch() { g.watched = nil }

// allow gives the row bounds of its own where b has any. The default ones are for
// what a client may do with a few requests.
func (g *gauge) allow(b bounds) { g.allowed = b }

// end gives the cost of the row.
func (g *gauge) end() (c cost) {
	if g.watched == nil {
		return c
	}
	after := g.settle()
	if !g.watched.Running() {
		c.fault = "the server is dead"
		return c
	}
	c.known = after.known && g.before.known
	c.peak, c.kept = max(0, after.peak-g.before.rss), max(0, after.rss-g.before.rss)
	c.cpu = after.cpu - g.before.cpu
	if c.control, c.fault = g.control.since(g.first[1]); c.fault != "" {
		g.t.Fatalf("neighbours of nobody: %s", c.fault)
	}
	if c.delays, c.fault = g.pair.since(g.first[0]); c.fault != "" {
		c.fault = "neighbours: " + c.fault
	}
	return c
}

// settle waits until the server is quiet.
func (g *gauge) settle() (u usage) {
	u, _ = usageOf(g.watched.PID())
	until(func() bool {
		time.Sleep(quietTime)
		last := u
		u, _ = usageOf(g.watched.PID())
		return u.cpu-last.cpu < quietTime/2
	})
	return u
}

// usage is what a process takes of the machine.
type usage struct {
	known     bool // false where there is no /proc
	rss, peak int64
	cpu       time.Duration
}

func usageOf(pid int) (u usage, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		name, rest, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			u.rss = kib << 10
		case "VmHWM":
			u.peak = kib << 10
		}
	}
	u.cpu, err = cpuTime(pid)
	u.known = err == nil
	return u, err
}

// forgetPeak lets the peak of a process begin anew. Where that fails the peak is
// that of its whole life, and a bound is passed too early rather than too late.
func forgetPeak(pid int) {
	const peak = "5"
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte(peak), 0)
}

// cpuTime is the processor time that a process has taken.
func cpuTime(pid int) (time.Duration, error) {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("no processor times in %q", text)
	}
	return time.Duration(user+system) * tick, nil
}

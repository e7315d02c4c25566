package attacks

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// bounds are what an attack may cost. Zero means the default.
type bounds struct {
	peak int64         // how far the server's RSS may rise, in bytes
	kept int64         // and what may remain of that when the server is quiet again
	cpu  time.Duration // processor time of the server
	p50  time.Duration // delay of the neighbours' pings
	p99  time.Duration
}

// usual are the default bounds.
var usual = bounds{peak: 48 << 20, kept: 48 << 20, cpu: time.Second, p50: 50 * time.Millisecond, p99: 500 * time.Millisecond}

const (
	// raceFactor is how much more everything costs with the race detector.
	raceFactor = 10
	// Neighbours may wait this many times as long as those of a server that is
	// spared, whatever the bound is: then the machine is slow and not the server.
	busyFactor = 3
	// fewPings have no p50 worth the name.
	fewPings = 20
)

// orUsual fills in the defaults.
func (b bounds) orUsual() bounds {
	b = bounds{
		peak: cmp.Or(b.peak, usual.peak), kept: cmp.Or(b.kept, usual.kept), cpu: cmp.Or(b.cpu, usual.cpu),
		p50: cmp.Or(b.p50, usual.p50), p99: cmp.Or(b.p99, usual.p99),
	}
	if integration.RaceEnabled() {
		b.peak, b.kept, b.cpu, b.p50, b.p99 = b.peak*raceFactor, b.kept*raceFactor, b.cpu*raceFactor, b.p50*raceFactor, b.p99*raceFactor
	}
	return b
}

// cost is what an attack did cost.
type cost struct {
	known      bool // whether there are figures of the server
	peak, kept int64
	cpu        time.Duration
	delays     delays // of the neighbours' pings
	control    delays // of pings at the same time through a server that is spared
	fault      string // what happened to the server or the neighbours
}

// beyond says which bounds were passed.
func (c cost) beyond(b bounds) string {
	var list []string
	passed := func(is bool, format string, args ...any) {
		if is {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	passed(c.fault != "", "%s", c.fault)
	passed(c.peak > b.peak, "memory rose by %s, the bound is %s", mib(c.peak), mib(b.peak))
	passed(c.kept > b.kept, "memory stays %s higher, the bound is %s", mib(c.kept), mib(b.kept))
	passed(c.cpu > b.cpu, "%v of the processors, the bound is %v", c.cpu, b.cpu)
	p50, p99 := max(b.p50, busyFactor*c.control.percentile(50)), max(b.p99, busyFactor*c.control.percentile(99))
	passed(len(c.delays) >= fewPings && c.delays.percentile(50) > p50, "the neighbours' p50 is %v, the bound is %v", c.delays.percentile(50), p50)
	passed(c.delays.percentile(99) > p99, "the neighbours' p99 is %v, the bound is %v", c.delays.percentile(99), p99)
	return strings.Join(list, "; ")
}

// columns are the figures in the table.
func (c cost) columns() string {
	server, neighbours := "-\t -\t -", "-\t -\t -"
	if c.known {
		server = fmt.Sprintf("%s\t %s\t %.2f s", mib(c.peak), mib(c.kept), c.cpu.Seconds())
	}
	if len(c.delays) > 0 {
		neighbours = fmt.Sprintf("%s\t %s\t %s", millis(c.delays.percentile(50)), millis(c.delays.percentile(99)), millis(c.control.percentile(99)))
	}
	return server + "\t " + neighbours
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-realtime/caddy-realtime/internal/tally"
	"github.com/caddy-realtime/caddy-realtime/node"
)

// prefix is that of all names. Caddy's own begin with caddy_ as well.
const prefix = "caddy_realtime_"

// Collector is a [prometheus.Collector] of the hubs of this process. It has no state, and
// several registries may have one.
type Collector struct{ hubs func() map[string]*node.Node }

// New returns a collector. hubs lists the hubs by name each time that somebody asks for the
// figures.
func New(hubs func() map[string]*node.Node) *Collector { return &Collector{hubs} }

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, m := range table {
		to <- m.desc
	}
}

// Collect implements [prometheus.Collector].
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	for name, n := range c.hubs() {
		s, running := n.Stats()
		if !running {
			continue
		}
		for _, m := range table {
			m.read(&s, emitter{to, m, name})
		}
	}
}

// emitter sends the values of one metric of one hub.
type emitter struct {
	to  chan<- prometheus.Metric
	of  *metric
	hub string
}

// value sends a gauge or a counter. labels are those after `hub`.
func (e emitter) value(v float64, labels ...string) {
	e.to <- prometheus.MustNewConstMetric(e.of.desc, e.of.kind, v, append([]string{e.hub}, labels...)...)
}

func (e emitter) count(n uint64, labels ...string) { e.value(float64(n), labels...) }

func (e emitter) amount(n int, labels ...string) { e.value(float64(n), labels...) }

// truth sends 1 or 0.
func (e emitter) truth(is bool, labels ...string) {
	if is {
		e.value(1, labels...)
		return
	}
	e.value(0, labels...)
}

// durations sends a histogram.
func (e emitter) durations(d tally.Durations, labels ...string) {
	buckets, sum := make(map[float64]uint64, len(d.Bounds)), uint64(0)
	for i, bound := range d.Bounds {
		sum += d.Counts[i]
		buckets[bound.Seconds()] = sum
	}
	e.to <- prometheus.MustNewConstHistogram(e.of.desc, d.Count(), d.Sum.Seconds(), buckets, append([]string{e.hub}, labels...)...)
}

package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-realtime/caddy-realtime/node"
)

// metric is a row of the table.
type metric struct {
	name, help string
	kind       prometheus.ValueType // of a gauge or a counter
	histogram  bool
	labels     []string // after `hub`
	read       func(*node.Stats, emitter)

	desc *prometheus.Desc
}

// table has every metric. docs/metrics.md has a row for each; a test compares them.
var table = describe(connections, messages, sessions, stores)

func describe(parts ...[]metric) (all []*metric) {
	for _, m := range slices.Concat(parts...) {
		m.desc = prometheus.NewDesc(prefix+m.name, m.help, append([]string{"hub"}, m.labels...), nil)
		all = append(all, &m)
	}
	return all
}

func gauge(name, help string, read func(*node.Stats, emitter), labels ...string) metric {
	return metric{name: name, help: help, kind: prometheus.GaugeValue, labels: labels, read: read}
}

func counter(name, help string, read func(*node.Stats, emitter), labels ...string) metric {
	return metric{name: name, help: help, kind: prometheus.CounterValue, labels: labels, read: read}
}

func histogram(name, help string, read func(*node.Stats, emitter), labels ...string) metric {
	return metric{name: name, help: help, histogram: true, labels: labels, read: read}
}

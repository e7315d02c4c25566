// Package metrics shows the figures of all hubs to Prometheus.
//
// Nothing here counts. Hubs, sessions and stores have counters of their own, which outlive
// configurations, and a [Collector] reads them when somebody asks. So it does not matter how
// often a configuration is loaded and into how many registries a Collector is put, and two
// hubs are two values of the label `hub`.
//
//   - collector.go: [Collector]
//   - table.go: every metric, with its help and its labels, in one table
//   - connections.go, messages.go, sessions.go, stores.go: the rows of the table
//
// Labels have words of the server and names of the configuration only: never a channel, a user
// or an address, of which there is no bound.
//
// The figures of a hub end with the hub. If a later configuration has a hub of the same name,
// its counters start at 0, which Prometheus takes for a restart.
package metrics

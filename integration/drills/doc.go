// Package drills has no code of its own: its tests put a real Caddy under what
// happens to servers in the field, and let the checker of deliveries decide how it
// did. Each drill is a file: reloads, lost connections, the exit of the process,
// cut cables, bad input, slow readers. Those that begin with cluster have three
// Caddys in processes of their own, which share a Redis.
//
// The clients are small and share nothing with the server but the description of
// the protocol: a subscriber that comes back where it was cut off, over WebSocket or
// as an event stream, and publishers that try again.
//
// The drills of a Caddy in this process run one after the other, because there is one in a
// process and because they count goroutines and memory. Those of Caddys in processes of their
// own, such as clusters, run side by side behind them.
//
// Nothing but the length of a fault goes by the clock: a time limit only says when a drill has
// failed. `make drills` runs those of one Caddy with thousands of clients, and
// `make cluster-drills` those of clusters for minutes. Both assert times that need an idle
// machine, and write a table.
package drills

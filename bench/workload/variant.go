package workload

import "github.com/caddy-realtime/caddy-realtime/bench/target"

// The names of peers that are this server itself: what a feature costs is the difference
// to the same load without it.
const (
	Without  = "without" // the workload without the feature that it is about
	Native   = "native"  // the same over this project's own protocol instead of Pusher's
	InMemory = "memory"  // the same rooms without Redis
	Proxy    = "proxy"   // the requests to the app alone, by reverse_proxy
	Plain    = "plain"   // rooms without presence and history
	Bare     = "caddy"   // a handler in the same Caddy that only parks connections
)

// inRedis has the rooms of the usual site in a Redis, or in memory.
func inRedis(variant string) target.Site { return target.Site{Redis: variant != InMemory} }

// Site returns what the workload needs of this server, with an address for its app.
func (w *Workload) Site(variant string) (site target.Site, err error) {
	if w.Needs == nil {
		return target.Site{Plain: variant == Plain, Bare: variant == Bare}, nil
	}
	site = w.Needs(variant)
	site.App, err = target.NewApp()
	return site, err
}

// Missing says what has to be installed for the workload; empty if nothing is.
func (w *Workload) Missing() string {
	if w.Needs != nil && w.Needs("").Redis {
		return target.MissingRedis()
	}
	return ""
}

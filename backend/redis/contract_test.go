package redis

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/backendtest"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// patientOptions returns options for the contracts, which are not about faults. A machine that is busy
// looks like a fault. If it is busy for longer than Attach waits for its subscription, a room
// that then loses its history also loses what it missed. If it is busy for the time of a lease,
// a node counts as dead. The drills use shorter times.
func patientOptions(address string) Options {
	return Options{Address: address, Timeout: 10 * time.Second, Probe: 30 * time.Second}
}

// topologies are the arrangements of Redis servers.
var topologies = map[string]func(t *testing.T) Options{
	"Single": func(t *testing.T) Options { return patientOptions(startServer(t).Addr) },
	"Several": func(t *testing.T) Options {
		o := patientOptions("")
		o.Shards = []string{startServer(t).Addr, startServer(t).Addr}
		return o
	},
	"Cluster": func(t *testing.T) Options {
		o := patientOptions("")
		o.Cluster = redistest.StartCluster(t, 3, false).Addrs()[:1]
		return o
	},
}

func TestBrokerContract(t *testing.T) {
	for name, start := range topologies {
		t.Run(name, func(t *testing.T) {
			o := start(t)
			backendtest.RunBroker(t, func(t *testing.T, sink hub.Sink) hub.Broker {
				return open(t, o).Broker(sink)
			})
		})
	}
}

// Two nodes act like one broker: what one publishes, the other delivers.
func TestBrokerContractOverTwoNodes(t *testing.T) {
	o := patientOptions(startServer(t).Addr)
	backendtest.RunBroker(t, func(t *testing.T, sink hub.Sink) hub.Broker {
		return twoNodeBroker{open(t, o).Broker(sink), open(t, o).Broker(deaf{})}
	})
}

// twoNodeBroker publishes with another node than the one that delivers.
type twoNodeBroker struct {
	hub.Broker
	publisher hub.Broker
}

func (a twoNodeBroker) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	return a.publisher.Publish(ctx, m, o)
}

func (a twoNodeBroker) AttachFeed(ctx context.Context, feed string) error {
	return a.Broker.(hub.FeedBroker).AttachFeed(ctx, feed)
}

func (a twoNodeBroker) DetachFeed(feed string) { a.Broker.(hub.FeedBroker).DetachFeed(feed) }

func (a twoNodeBroker) Close() error { return errors.Join(a.publisher.Close(), a.Broker.Close()) }

type deaf struct{}

func (deaf) Broadcast(string, ...*hub.Message) {}

func TestPresenceContract(t *testing.T) {
	for name, start := range topologies {
		t.Run(name, func(t *testing.T) {
			o := start(t)
			backendtest.RunPresence(t, func(t *testing.T) func(presence.Sink) presence.Store {
				o := o
				if strings.HasSuffix(t.Name(), "/PresenceClose") {
					// The other nodes notice after a lease that a node has stopped. The lease
					// is the same for all nodes that share a prefix.
					o.Lease, o.Prefix = 3*time.Second, "close:"
				}
				return func(sink presence.Sink) presence.Store {
					return open(t, o).Presence(sink)
				}
			})
		})
	}
}

func TestDocumentContract(t *testing.T) {
	for name, start := range topologies {
		t.Run(name, func(t *testing.T) {
			o := start(t)
			backendtest.RunDocument(t, func(t *testing.T) func(document.Sink) document.Store {
				return func(sink document.Sink) document.Store { return open(t, o).Documents(sink) }
			})
		})
	}
}

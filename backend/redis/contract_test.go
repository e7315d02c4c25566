package redis

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/backendtest"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

func TestBrokerContract(t *testing.T) {
	s := startServer(t)
	backendtest.RunBroker(t, func(t *testing.T, sink hub.Sink) hub.Broker {
		return open(t, Options{Address: s.Addr}).Broker(sink)
	})
}

// Two nodes look like one broker: what one publishes the other delivers.
func TestBrokerContractOverTwoNodes(t *testing.T) {
	s := startServer(t)
	backendtest.RunBroker(t, func(t *testing.T, sink hub.Sink) hub.Broker {
		o := Options{Address: s.Addr}
		return apart{open(t, o).Broker(sink), open(t, o).Broker(deaf{})}
	})
}

// apart publishes with another node than the one that delivers.
type apart struct {
	hub.Broker
	publisher hub.Broker
}

func (a apart) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	return a.publisher.Publish(ctx, m, o)
}

func (a apart) Close() error { return errors.Join(a.publisher.Close(), a.Broker.Close()) }

type deaf struct{}

func (deaf) Broadcast(string, ...*hub.Message) {}

func TestPresenceContract(t *testing.T) {
	s := startServer(t)
	backendtest.RunPresence(t, func(t *testing.T) func(presence.Sink) presence.Store {
		return func(sink presence.Sink) presence.Store {
			return open(t, Options{Address: s.Addr, Lease: 600 * time.Millisecond}).Presence(sink)
		}
	})
}

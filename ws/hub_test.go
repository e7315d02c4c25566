package ws

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// silent is a broker that has nothing.
type silent struct{ hub.Broker }

func (silent) Close() error { return nil }

func newHub(t testing.TB, s hub.Settings) *hub.Hub {
	t.Helper()
	h, err := hub.New(func(hub.Sink) (hub.Broker, error) { return silent{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	h.Apply(s)
	return h
}

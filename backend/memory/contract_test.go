package memory_test

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/backend/backendtest"
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestContract(t *testing.T) {
	t.Parallel()
	backendtest.RunBroker(t, func(_ *testing.T, sink hub.Sink) hub.Broker {
		return memory.New(sink, memory.Options{})
	})
}

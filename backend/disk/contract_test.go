package disk_test

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/backend/backendtest"
	"github.com/caddy-realtime/caddy-realtime/backend/disk"
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestContract(t *testing.T) {
	t.Parallel()
	backendtest.RunBroker(t, func(t *testing.T, sink hub.Sink) hub.Broker {
		s, err := disk.Open(disk.Options{Dir: t.TempDir(), Hub: "default"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		b, err := s.Broker(sink, memory.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

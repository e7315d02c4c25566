package redis

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/backend/backendtest"
	"github.com/caddy-realtime/caddy-realtime/notify"
)

func TestOutboxContract(t *testing.T) {
	for name, start := range topologies {
		t.Run(name, func(t *testing.T) {
			o := start(t)
			backendtest.RunOutbox(t, func(t *testing.T) []notify.Outbox {
				o := o
				o.Prefix = nodeName() + ":"
				return []notify.Outbox{open(t, o).Outbox(), open(t, o).Outbox()}
			})
		})
	}
}

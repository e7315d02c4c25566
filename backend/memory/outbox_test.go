package memory_test

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/backend/backendtest"
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/notify"
)

func TestOutboxContract(t *testing.T) {
	t.Parallel()
	backendtest.RunOutbox(t, func(*testing.T) []notify.Outbox { return []notify.Outbox{memory.NewOutbox()} })
}

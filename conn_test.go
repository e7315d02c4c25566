package realtime

import (
	"context"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

// endProcess makes the process look, until the end of a test, as if it were about to exit.
func endProcess(t *testing.T) {
	exiting = func() bool { return true }
	t.Cleanup(func() { exiting = caddy.Exiting })
}

func TestPanicInTheEndOfAnAbandonedConnection(t *testing.T) {
	log := panictest.Default(t)
	endProcess(t)
	synctest.Test(t, func(t *testing.T) {
		ctx := context.WithValue(t.Context(), connKey{}, brokenConn{})
		abandon(httptest.NewRequestWithContext(ctx, "GET", "/", nil))
		synctest.Wait()
		log.Once(t, "the end of a connection", "close")
	})
}

package caddyhost

import (
	"context"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

func TestPanicInTheEndOfAConnection(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		ctx := context.WithValue(t.Context(), connKey{}, brokenConn{})
		CloseConn(httptest.NewRequestWithContext(ctx, "GET", "/", nil))
		synctest.Wait()
		log.Once(t, "the end of a connection", "close")
	})
}

package sse_test

import (
	"os"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
	"github.com/caddy-realtime/caddy-realtime/internal/poller"
)

// TestMain runs the tests without the poller if POLLER is off, as on systems that have none.
func TestMain(m *testing.M) {
	if os.Getenv("POLLER") == "off" {
		poller.Off()
	}
	leak.Main(m)
}

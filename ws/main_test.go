package ws_test

import (
	"os"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
	"github.com/caddy-realtime/caddy-realtime/internal/poller"
	_ "github.com/caddy-realtime/caddy-realtime/internal/xconnect" // HTTP/2 servers of this binary take extended CONNECT
)

// TestMain runs the tests without the poller if POLLER is off, as on systems that have none.
func TestMain(m *testing.M) {
	if os.Getenv("POLLER") == "off" {
		poller.Off()
	}
	leak.Main(m)
}

package engineio_test

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
	_ "github.com/caddy-realtime/caddy-realtime/internal/xconnect" // HTTP/2 servers of this binary take extended CONNECT
)

func TestMain(m *testing.M) { leak.Main(m) }

package poller

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

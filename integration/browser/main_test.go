package browser

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m, CloseBrowsers, integration.RemoveProgram) }

package realtime

import (
	"maps"
	"slices"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/config"
)

// Errors find the block of a misplaced option by Inside. Only these blocks have no options of their own.
func TestEveryBlockHasItsOptions(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(routeOptions)) {
		if o := routeOptions[name]; o.Block != (o.Inside != nil) && name != "info" {
			t.Errorf("the block of %q names no options", name)
		}
	}
	for name, o := range config.SocketIOOptions(checkOrigin) {
		if o.Block != (o.Inside != nil) {
			t.Errorf("the block of %q in socketio names no options", name)
		}
	}
}

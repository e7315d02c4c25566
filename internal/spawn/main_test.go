package spawn

import (
	"runtime"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

// The main thread does not end, so that no test shall get it.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) { leak.Main(m) }

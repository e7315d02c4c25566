package xconnect

import (
	"os"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestWith(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value, want string
		change      bool
	}{
		{"", "http2xconnect=1", true},
		{"gctrace=1", "gctrace=1,http2xconnect=1", true},
		{"http2xconnect=0", "http2xconnect=0", false},
		{"gctrace=1,http2xconnect=1,madvdontneed=1", "gctrace=1,http2xconnect=1,madvdontneed=1", false},
	} {
		if got, change := with(c.value); got != c.want || change != c.change {
			t.Errorf("%q became %q, %v", c.value, got, change)
		}
	}
}

// That it comes in time is shown by the tests over HTTP/2 of package ws.
func TestInit(t *testing.T) {
	t.Parallel()
	if v := os.Getenv("GODEBUG"); !strings.Contains(v, key) {
		t.Errorf("GODEBUG is %q", v)
	}
}

// Package leak fails a test binary that leaves goroutines behind.
package leak

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// tolerated are parts of stacks that mark goroutines of others.
var tolerated = []string{
	"testing.(*M).",
	"testing.runTests",
	"testing.(*T).Run",
	"testing.runFuzzing",
	"os/signal.signal_recv",                        // started once by the runtime
	"internal/leak.running(",                       // the caller itself
	"go.opencensus.io/stats/view",                  // a worker some Caddy dependency starts in init
	"github.com/golang/glog",                       // flush daemon of a Caddy dependency
	"certmagic.(*Cache).maintainAssets",            // lives as long as the process, by design
	"caddyserver/caddy/v2.(*sharedQuicListener)",   // closed by Caddy in its own time
	"caddyserver/caddy/v2.trapSignals",             // lives as long as the process
	"caddyserver/caddy/v2/modules/caddytls.init",   // session ticket keys
	"caddytls.(*SessionTicketService).stayUpdated", // stopped with the config, but late
	"internal/poller.(*poller).poll",               // lives as long as the process
}

// Main runs the tests of a package. It exits with an error if goroutines that the tests
// started still run five seconds after the last test. It calls after behind the last test
// in any case, to remove what all tests shared.
func Main(m *testing.M, after ...func()) {
	code := m.Run()
	for _, f := range after {
		f()
	}
	if code == 0 {
		if left := wait(5 * time.Second); len(left) > 0 {
			fmt.Fprintf(os.Stderr, "leak: %d goroutines left behind:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
			code = 1
		}
	}
	os.Exit(code)
}

// wait polls, because goroutines that are about to end need a moment.
func wait(limit time.Duration) (left []string) {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if left = running(); len(left) == 0 {
			return nil
		}
	}
	return left
}

func running() (left []string) {
	buf := make([]byte, 1<<22)
	buf = buf[:runtime.Stack(buf, true)]
	for _, g := range strings.Split(string(buf), "\n\n") {
		if !isTolerated(g) {
			left = append(left, g)
		}
	}
	return left
}

func isTolerated(stack string) bool {
	for _, t := range tolerated {
		if strings.Contains(stack, t) {
			return true
		}
	}
	return false
}

package integration

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestClientWatch follows channels and patterns with a filter, with the client's entry point for
// that. What has to be true is said in client/test/watch.mjs.
func TestClientWatch(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed; tools/needs names it")
	}
	c := Start(t, `
		http://{{site}} {
			realtime /realtime {
				room orders:* {
					subscribe anyone
					subscribe_pattern anyone
					publish anyone
				}
				room news {
					subscribe anyone
					publish anyone
					history 10
				}
			}
		}
	`)
	script := filepath.Join(root(), "client", "test", "watch.mjs")
	cmd := exec.CommandContext(t.Context(), "node", "--experimental-websocket", "--no-warnings", script, c.Addr("site"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

package integration

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// desk is a site where anybody may edit documents.
const desk = `
	http://{{site}} {
		realtime {
			%s
			room doc:* {
				subscribe anyone
				publish anyone
				document {
					%s
				}
			}
		}
	}
`

// TestConverge has 2 to 20 editors with the browser client change a document over bad
// connections, while the server is killed and comes back. What has to be true is said
// in client/test/converge.mjs.
func TestConverge(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("tools/needs has said that node is missing")
	}
	for _, c := range []struct {
		name, options   string
		seeds, restarts int
		kept            bool // documents outlive the process
	}{
		{"merge", "", 2, 0, false},
		{"strict", "conflict strict", 1, 0, false},
		{"short history", "history 3", 1, 0, false},
		{"killed", "", 2, 2, false},
		{"killed beside Redis", "", 2, 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := ""
			if c.kept {
				store = "redis " + redistest.Start(t).Addr
			}
			p := StartProcess(t, fmt.Sprintf(desk, store, c.options))
			for seed := range c.seeds {
				converge(t, p, seed+1, c.restarts, c.kept)
			}
		})
	}
}

// converge runs the editors. Each time they say so the server is killed.
func converge(t *testing.T, p *Process, seed, restarts int, kept bool) {
	t.Helper()
	script := filepath.Join(root(), "client", "test", "converge.mjs")
	args := fmt.Sprintf("--experimental-websocket --no-warnings %s %s %d %d %d %d",
		script, p.Addr("site"), seed, 100, restarts, map[bool]int{true: 1}[kept])
	cmd := exec.CommandContext(t.Context(), "node", strings.Fields(args)...)
	var said strings.Builder
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err = cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() != "restart" {
			t.Logf("seed %d: %s", seed, lines.Text())
			continue
		}
		p.Kill()
		p.Start()
		_, _ = io.WriteString(in, "back\n")
	}
	if err = cmd.Wait(); err != nil {
		t.Errorf("seed %d: %v\n%s", seed, err, said.String())
	}
}

// TestTogether has clients take the same seat, move the same element, count, and undo what
// others have gone on with, at once. What has to be true is said in
// client/test/together.mjs.
func TestTogether(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("tools/needs has said that node is missing")
	}
	c := Start(t, fmt.Sprintf(desk, "", ""))
	script := filepath.Join(root(), "client", "test", "together.mjs")
	cmd := exec.CommandContext(t.Context(), "node", "--experimental-websocket", "--no-warnings", script, c.Addr("site"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

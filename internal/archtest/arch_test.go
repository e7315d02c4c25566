package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

const module = "github.com/caddy-realtime/caddy-realtime"

// TestBorders fails when a package imports what it must not, has no rule, or has
// no package comment.
func TestBorders(t *testing.T) {
	t.Parallel()
	g := list(t, module+"/...")
	if _, ok := g[module]; !ok {
		t.Fatalf("the module itself is not among %d packages", len(g))
	}
	for _, b := range g.check(module, rules) {
		t.Error(b)
	}
}

// maxRootFiles is room for doc.go, for the six files of the module, and for three that
// register with other parts of Caddy: its admin API, metrics and command line.
const maxRootFiles = 10

// TestRootIsSmall keeps the root a place that tells what the module is.
func TestRootIsSmall(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
	if len(files) == 0 || len(files) > maxRootFiles {
		t.Errorf("the root has %d files, but a newcomer should see the whole module in at most %d: the work belongs in a package "+
			"(config, access, node, internal/caddyhost or a new one), and the root registers it", len(files), maxRootFiles)
	}
}

// TestRulesHaveReasons keeps the table useful to whoever breaks a rule.
func TestRulesHaveReasons(t *testing.T) {
	t.Parallel()
	var seen []string
	for _, r := range rules {
		if r.why == "" {
			t.Errorf("the rule for %s has no reason", r.pkg)
		}
		if slices.Contains(seen, r.pkg) {
			t.Errorf("there are two rules for %s", r.pkg)
		}
		seen = append(seen, r.pkg)
	}
}

// list asks the go command for packages and everything they depend on.
func list(t *testing.T, pattern string) graph {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Doc,Standard,Imports", pattern)
	out, err := cmd.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		t.Fatalf("go list: %v\n%s", err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	g := make(graph)
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return g
		} else if err != nil {
			t.Fatal(err)
		}
		g[p.ImportPath] = p
	}
}

package block

import (
	"os"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// What is remembered has a bound.
func TestLinesAreBounded(t *testing.T) {
	t.Parallel()
	var l lines
	d := caddyfile.NewTestDispenser("schema x")
	for i := range 3 * maxLines {
		l.remember(d, "<file>", []string{strings.Repeat("x", i)})
	}
	if n := len(l.places); n > maxLines {
		t.Errorf("%d lines are remembered", n)
	}
	if err := l.locate("x", os.ErrNotExist); err != os.ErrNotExist {
		t.Errorf("a place that is forgotten: %v", err)
	}
}

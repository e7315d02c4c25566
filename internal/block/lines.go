package block

import (
	"fmt"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// A Caddyfile becomes JSON before files and variables are read, and JSON has no lines.
// `caddy run` and `caddy validate` do both in one process. So this package remembers where
// the Caddyfile names a file or a placeholder. With `caddy reload` the running process
// gets only the JSON, and its errors name the option without a line.

// maxLines bounds what is remembered. Hardly any Caddyfile names as many files.
const maxLines = 1000

// lines are places by the text as it is written. Several goroutines may use them.
type lines struct {
	mu     sync.Mutex
	places map[string]string // guarded by mu
}

// named has what the Caddyfiles of this process name.
var named lines

// Locate adds to an error the place at which a Caddyfile of this process has the value, if
// that is known.
func Locate(value string, err error) error { return named.locate(value, err) }

// Place returns the place at which a Caddyfile of this process has the value; empty if that is not
// known.
func Place(value string) string { return named.place(value) }

// Remember keeps the place of an option without values, under a name for it.
func Remember(d *caddyfile.Dispenser, option string) {
	named.remember(d, "<file>", []string{option})
}

// remember keeps the place of each file, folder, address and placeholder among the values of an
// option. Other values may be secrets.
func (l *lines) remember(d *caddyfile.Dispenser, syntax string, values []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.places == nil || len(l.places) >= maxLines {
		l.places = make(map[string]string)
	}
	for _, value := range values {
		if isNamed(syntax) || StartsWithPlaceholder(value) {
			l.places[value] = fmt.Sprintf("%s:%d", d.File(), d.Line())
		}
	}
}

// isNamed reports whether an option's values are names of things, not secrets.
func isNamed(syntax string) bool {
	for _, kind := range []string{"<file>", "<dir>", "<address>"} {
		if strings.Contains(syntax, kind) {
			return true
		}
	}
	return false
}

func (l *lines) place(value string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.places[value]
}

func (l *lines) locate(value string, err error) error {
	if place := l.place(value); err != nil && place != "" {
		return fmt.Errorf("%w, at %s", err, place)
	}
	return err
}

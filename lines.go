package realtime

import (
	"fmt"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// A Caddyfile becomes JSON before files and variables are looked at, and JSON has no
// lines. `caddy run` and `caddy validate` do both in one process, which therefore
// remembers where the Caddyfile names a file or a placeholder. `caddy reload` has the
// running process read the JSON, and its errors name the option alone.

// maxLines bounds what is remembered. One Caddyfile hardly names as many files.
const maxLines = 1000

// lines are places by the text as it is written. Several goroutines may use them.
type lines struct {
	mu     sync.Mutex
	places map[string]string // guarded by mu
}

// namedAt has what the Caddyfiles of this process name.
var namedAt lines

// remember keeps the place of the values of an option that are looked at later: files,
// and placeholders. Other values may be secrets.
func (l *lines) remember(d *caddyfile.Dispenser, syntax string, values []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.places == nil || len(l.places) >= maxLines {
		l.places = make(map[string]string)
	}
	for _, value := range values {
		if strings.Contains(syntax, "<file>") || startsWithPlaceholder.MatchString(value) {
			l.places[value] = fmt.Sprintf("%s:%d", d.File(), d.Line())
		}
	}
}

// locate adds the place of a value to an error, if it is known.
func (l *lines) locate(value string, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if place := l.places[value]; err != nil && place != "" {
		return fmt.Errorf("%w, at %s", err, place)
	}
	return err
}

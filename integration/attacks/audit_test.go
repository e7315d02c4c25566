package attacks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func init() { caddy.RegisterModule(new(auditWriter)) }

// auditWriter is where the log `audit` goes, which gets every line of Caddy's.
type auditWriter struct{}

func (*auditWriter) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.logging.writers.attacks", New: func() caddy.Module { return new(auditWriter) }}
}

func (*auditWriter) UnmarshalCaddyfile(*caddyfile.Dispenser) error { return nil }

func (*auditWriter) String() string    { return "attacks" }
func (*auditWriter) WriterKey() string { return "attacks" }

func (*auditWriter) OpenWriter() (io.WriteCloser, error) { return audit, nil }

// audit is the log of this process.
var audit = &auditor{grown: make(chan struct{})}

// marker is in every text that tries to forge a line of the log.
const marker = "forged"

// auditor looks at each line when it is written, and keeps nothing but what is
// wrong and the names of the fields with the marker.
type auditor struct {
	mu     sync.Mutex
	grown  chan struct{} // closed, and replaced, with each line that has the marker
	lines  int
	faults []string
	marked map[string]int // fields with the marker, by name
}

func (a *auditor) Close() error { return nil }

func (a *auditor) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines++
	if fault := a.examine(p); fault != "" {
		a.faults = append(a.faults, fmt.Sprintf("%s: %.300q", fault, p))
	}
	return len(p), nil
}

// examine says what is wrong with a line.
func (a *auditor) examine(p []byte) string {
	if line, whole := bytes.CutSuffix(p, []byte("\n")); !whole || bytes.ContainsAny(line, "\r\n") {
		return "not one line"
	}
	if i := bytes.IndexFunc(p[:len(p)-1], func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		return "a control character"
	}
	if !bytes.Contains(p, []byte(marker)) {
		return ""
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(p, &fields); err != nil {
		return "not JSON"
	}
	close(a.grown)
	a.grown = make(chan struct{})
	return a.note(fields)
}

// note takes note of the fields with the marker. The message is the server's own.
func (a *auditor) note(fields map[string]json.RawMessage) string {
	if a.marked == nil {
		a.marked = make(map[string]int)
	}
	for name, value := range fields {
		switch in := bytes.Contains(value, []byte(marker)); {
		case strings.Contains(name, marker):
			return "a field of the client's"
		case in && (name == "msg" || name == "level" || name == "logger" || name == "ts"):
			return "the client's text as " + name
		case in:
			a.marked[name]++
		}
	}
	return ""
}

// findings gives the count of lines, what is wrong with them, and the fields with
// the marker.
func (a *auditor) findings() (lines int, faults []string, marked map[string]int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	marked = make(map[string]int)
	for name, n := range a.marked {
		marked[name] = n
	}
	return a.lines, a.faults, marked
}

// await waits until a field has the marker this often.
func (a *auditor) await(name string, n int) bool {
	end := time.After(patience)
	for {
		a.mu.Lock()
		count, grown := a.marked[name], a.grown
		a.mu.Unlock()
		if count >= n {
			return true
		}
		select {
		case <-grown:
		case <-end:
			return false
		}
	}
}

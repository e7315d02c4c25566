// Package panictest lets a test see the panics that internal/guard has ended.
package panictest

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// Log keeps what is logged.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Logger returns a logger that writes to l.
func (l *Log) Logger() *slog.Logger { return slog.New(slog.NewJSONHandler(l, nil)) }

// Default returns a Log that gets what the default logger is told, until the end of the
// test. The test must not be parallel.
func Default(t *testing.T) *Log {
	t.Helper()
	t.Setenv("PANICTEST", "serial") // fails in a parallel test
	l, before := new(Log), slog.Default()
	slog.SetDefault(l.Logger())
	t.Cleanup(func() { slog.SetDefault(before) })
	return l
}

// Panics returns the value of each panic in what, in their order. It reports panics that
// were logged without a stack, and panics in anything else.
func (l *Log) Panics(t *testing.T, what string) (values []string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		var entry struct{ Msg, Panic, Stack string }
		if json.Unmarshal([]byte(line), &entry) != nil || !strings.HasPrefix(entry.Msg, "panic in ") {
			continue
		}
		if entry.Msg != "panic in "+what {
			t.Errorf("%s: %s\n%s", entry.Msg, entry.Panic, entry.Stack)
			continue
		}
		if !strings.Contains(entry.Stack, "panic(") {
			t.Errorf("%s is logged without its stack: %s", entry.Msg, line)
		}
		values = append(values, entry.Panic)
	}
	return values
}

// Once reports anything else than one panic in what, with the value.
func (l *Log) Once(t *testing.T, what, value string) {
	t.Helper()
	if got := l.Panics(t, what); len(got) != 1 || got[0] != value {
		t.Errorf("panics in %s: %q, want %q once", what, got, value)
	}
}

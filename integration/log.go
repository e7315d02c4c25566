package integration

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
)

func init() { caddy.RegisterModule(logWriter{}) }

// logWriter is the place that Caddy logs to.
type logWriter struct{}

func (logWriter) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.logging.writers.integration", New: func() caddy.Module { return new(logWriter) }}
}

func (logWriter) String() string    { return "integration" }
func (logWriter) WriterKey() string { return "integration" }

func (logWriter) OpenWriter() (io.WriteCloser, error) { return caddyLog, nil }

// caddyLog is the log of this process.
var caddyLog = &logBuffer{grown: make(chan struct{})}

// logBuffer keeps what is logged.
type logBuffer struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	grown chan struct{} // closed, and replaced, with each write
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.grown)
	l.grown = make(chan struct{})
	return l.buf.Write(p)
}

func (l *logBuffer) Close() error { return nil }

// take returns what is there and begins anew.
func (l *logBuffer) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.buf.Reset()
	return l.buf.String()
}

// wait returns the first line with text in it, as soon as there is one.
func (l *logBuffer) wait(text string, limit time.Duration) (line string, ok bool) {
	end := time.After(limit)
	for {
		line, grown := l.find(text)
		if line != "" {
			return line, true
		}
		select {
		case <-grown:
		case <-end:
			return "", false
		}
	}
}

func (l *logBuffer) find(text string) (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.buf.String()) {
		if strings.Contains(line, text) {
			return line, l.grown
		}
	}
	return "", l.grown
}

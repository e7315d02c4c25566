package backendtest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// recorder is a sink that keeps what it gets. It also checks what holds for every broker:
// the messages of a room come in order and only once. It reports errors at the end, because
// a broker may call it from any goroutine.
type recorder struct {
	mu       sync.Mutex
	during   func(channel string) // called without mu
	got      map[string][]*hub.Message
	last     map[string]hub.Position
	changed  chan struct{} // closed and replaced with each broadcast
	problems []string
}

func newRecorder() *recorder {
	return &recorder{
		got:     make(map[string][]*hub.Message),
		last:    make(map[string]hub.Position),
		changed: make(chan struct{}),
	}
}

// Broadcast implements [hub.Sink].
func (r *recorder) Broadcast(channel string, ms ...*hub.Message) {
	r.mu.Lock()
	during := r.during
	r.mu.Unlock()
	if during != nil {
		during(channel)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range ms {
		r.judge(channel, m)
		r.got[channel] = append(r.got[channel], m)
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// setDuring makes the recorder call f at the start of each broadcast. Nil ends that.
func (r *recorder) setDuring(f func(channel string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.during = f
}

func (r *recorder) judge(channel string, m *hub.Message) {
	if m.Channel != channel {
		r.problem("a message of %q was broadcast in %q", m.Channel, channel)
	}
	if m.Position.IsZero() {
		if m.Position != (hub.Position{}) {
			r.problem("%s: a message without epoch has the position %+v", channel, m.Position)
		}
		return
	}
	last := r.last[channel]
	if last.Epoch == m.Position.Epoch && last.Offset >= m.Position.Offset {
		r.problem("%s: offset %d was broadcast after %d", channel, m.Position.Offset, last.Offset)
	}
	r.last[channel] = m.Position
}

func (r *recorder) problem(format string, args ...any) {
	if len(r.problems) < 10 {
		r.problems = append(r.problems, fmt.Sprintf(format, args...))
	}
}

// check reports the errors that the recorder has seen.
func (r *recorder) check(t *testing.T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.problems {
		t.Error(p)
	}
}

// messages returns what came in a channel so far.
func (r *recorder) messages(channel string) []*hub.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got[channel])
}

// await waits until enough returns true for the messages of a channel, or patience is over.
func (r *recorder) await(channel string, enough func([]*hub.Message) bool) bool {
	over := time.NewTimer(patience)
	defer over.Stop()
	for {
		r.mu.Lock()
		done, changed := enough(r.got[channel]), r.changed
		r.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-changed:
		case <-over.C:
			return false
		}
	}
}

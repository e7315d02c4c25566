package backendtest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// presenceRecorder is a sink that keeps the events of one room as text. It also checks what
// holds for every store: a member enters and leaves in turn, and each update in between
// changes something.
type presenceRecorder struct {
	channel string

	mu       sync.Mutex
	got      []string
	shown    map[string]*presence.Member // nil: left
	changed  chan struct{}               // closed and replaced with each call
	problems []string
}

func newPresenceRecorder(channel string) *presenceRecorder {
	return &presenceRecorder{
		channel: channel,
		shown:   make(map[string]*presence.Member),
		changed: make(chan struct{}),
	}
}

// Changed implements [presence.Sink].
func (r *presenceRecorder) Changed(channel string, evs ...presence.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if channel != r.channel {
		r.problems = append(r.problems, "events of another room: "+channel)
		return
	}
	for _, ev := range evs {
		r.judge(ev)
		r.got = append(r.got, presenceText(ev))
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// Missed implements [presence.Sink]. The tests lose nothing on purpose.
func (r *presenceRecorder) Missed(string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, "events were missed")
}

func (r *presenceRecorder) judge(ev presence.Event) {
	was, known := r.shown[ev.Member.Key]
	switch {
	case !known:
	case ev.Kind == presence.Entered && was != nil,
		ev.Kind != presence.Entered && was == nil,
		ev.Kind == presence.Updated && was.Same(ev.Member):
		r.problems = append(r.problems, fmt.Sprintf("%s does not follow, after %v", presenceText(ev), r.got))
	}
	r.shown[ev.Member.Key] = ev.Member
	if ev.Kind == presence.Left {
		r.shown[ev.Member.Key] = nil
	}
}

// presenceText returns an event in the form in which the tests write it.
func presenceText(ev presence.Event) string {
	sign := map[presence.Kind]string{presence.Entered: "+", presence.Updated: "~", presence.Left: "-"}[ev.Kind]
	if ev.Kind == presence.Left {
		return sign + ev.Member.Key
	}
	return sign + presenceShown(ev.Member)
}

func presenceShown(m *presence.Member) string {
	s := m.Key
	if m.Status != "" {
		s += "/" + m.Status
	}
	return s + m.Info
}

// check reports the errors that the recorder has seen.
func (r *presenceRecorder) check(t *testing.T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.problems {
		t.Error(p)
	}
}

func (r *presenceRecorder) events() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// await waits until enough returns true for the events, or patience is over.
func (r *presenceRecorder) await(enough func(got []string) bool) bool {
	over := time.NewTimer(patience)
	defer over.Stop()
	for {
		r.mu.Lock()
		done, changed := enough(r.got), r.changed
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

// saw expects exactly these events so far. It publishes a fence behind them: the events of
// a room come in order, so no other event is on its way.
func (n *presenceNode) saw(want ...string) {
	n.e.t.Helper()
	n.mu.Lock()
	fence := fmt.Sprint("fence", len(n.got))
	n.mu.Unlock()
	n.enter(fence)
	n.leave(fence)
	n.await(func(got []string) bool { return slices.Contains(got, "-"+fence) })
	got := slices.DeleteFunc(n.events(), func(s string) bool { return len(s) > 5 && s[1:6] == "fence" })
	if !slices.Equal(got, want) {
		n.e.t.Errorf("events:\n got %q\nwant %q", got, want)
	}
}

// listed returns a page as text. Offline members are in brackets.
func listed(page presence.Page) (out []string) {
	for _, m := range page.Members {
		if m.LastSeen.IsZero() {
			out = append(out, presenceShown(m.Member))
		} else {
			out = append(out, "("+presenceShown(m.Member)+")")
		}
	}
	return out
}

// lists expects a page to have these members.
func (n *presenceNode) lists(q presence.Query, count int, want ...string) {
	n.e.t.Helper()
	page := n.list(q)
	if got := listed(page); !slices.Equal(got, want) || page.Count != count {
		n.e.t.Errorf("list %+v: %q of %d, want %q of %d", q, got, page.Count, want, count)
	}
}

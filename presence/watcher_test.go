package presence

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pass lets fake time go by, and everything happen that is due.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// site is a node under test: a tracker and the clients that watch its rooms.
type site struct {
	*Tracker
	t    testing.TB
	node *node

	mu       sync.Mutex
	watchers map[string][]*watcher
	frames   map[string][]Frame
	keep     bool // frames are kept
}

func newSite(t testing.TB, c *cluster, o Options) *site {
	s := &site{t: t, watchers: make(map[string][]*watcher), frames: make(map[string][]Frame)}
	var err error
	s.Tracker, err = New(func(sink Sink) (Store, error) {
		s.node = c.join(sink)
		return s.node, nil
	}, s.announced)
	if err != nil {
		t.Fatal(err)
	}
	s.Apply(Settings{Room: func(string) Options { return o }})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *site) announced(channel string, f Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keep {
		s.frames[channel] = append(s.frames[channel], f)
	}
	for _, w := range s.watchers[channel] {
		w.see(f)
	}
}

// taken returns the frames since the last call, as text.
func (s *site) taken(channel string) (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.frames[channel] {
		out = append(out, text(f))
	}
	s.frames[channel] = nil
	return out
}

// text shows a frame the way a reader of a test likes it.
func text(f Frame) string {
	var b strings.Builder
	names := func(sign string, ms []*Member) {
		for _, m := range ms {
			b.WriteString(sign + m.Key)
			if m.Status != "" {
				b.WriteString("/" + m.Status)
			}
			if m.Info != "" {
				b.WriteString(m.Info)
			}
			b.WriteByte(' ')
		}
	}
	partial := false
	switch f := f.(type) {
	case *Snapshot:
		names("=", f.Members)
		fmt.Fprintf(&b, "(%d)", f.Count)
		if f.Next != "" {
			b.WriteString(" more")
		}
		partial = f.Partial
	case *Diff:
		names("+", f.Entered)
		names("~", f.Updated)
		names("-", f.Left)
		fmt.Fprintf(&b, "(%d)", f.Count)
		partial = f.Partial
	}
	if partial {
		b.WriteString(" partial")
	}
	return b.String()
}

// notes are texts of snapshots, in the order of their delivery.
type notes struct {
	mu    sync.Mutex
	texts []string
}

func (n *notes) add(s *Snapshot) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.texts = append(n.texts, text(s))
}

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.texts)
}

// enter enters and fails the test if that fails.
func (s *site) enter(channel, user, connection string, c Change, deliver func(*Snapshot)) *Stay {
	s.t.Helper()
	stay, err := s.Enter(channel, Who{Connection: connection, User: user}, c, deliver)
	if err != nil {
		s.t.Fatal(err)
	}
	return stay
}

// watcher is a client: it applies the snapshot and the diffs, and complains of
// what does not fit.
type watcher struct {
	t     testing.TB
	site  *site
	stay  *Stay
	limit int
	over  bool // watches no longer

	// Guarded by mu.
	mu       sync.Mutex
	began    bool
	seq      uint64
	have     map[string]*Member
	complete bool // have is the whole room
	next     string
	frames   int
	names    int // the most in one frame
	bytes    int
	partial  bool
	log      []string // what it was told
}

// watch begins to watch a room as a client does that is no member.
func (s *site) watch(channel string) *watcher {
	w := &watcher{t: s.t, site: s, limit: s.settings.Load().Room(channel).limit()}
	s.mu.Lock()
	s.watchers[channel] = append(s.watchers[channel], w)
	s.mu.Unlock()
	var err error
	if w.stay, err = s.Watch(channel, func(p *Snapshot) { w.see(p) }); err != nil {
		s.t.Fatal(err)
	}
	return w
}

func (w *watcher) leave(channel string) {
	w.stay.Leave()
	w.site.mu.Lock()
	defer w.site.mu.Unlock()
	all := w.site.watchers[channel]
	w.site.watchers[channel] = slices.DeleteFunc(all, func(o *watcher) bool { return o == w })
}

// see takes a frame that was announced, or the first snapshot.
func (w *watcher) see(f Frame) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch f := f.(type) {
	case *Snapshot:
		if w.began && f.Seq != w.seq+1 {
			w.fail("snapshot %d after %d", f.Seq, w.seq)
		}
		w.began, w.seq, w.partial = true, f.Seq, f.Partial
		w.have = make(map[string]*Member)
		w.fill(f)
	case *Diff:
		if !w.began {
			return // of before the snapshot
		}
		w.apply(f)
	}
	w.frames++
	w.bytes += len(wire(f))
	w.log = append(w.log, text(f))
}

func (w *watcher) fill(f *Snapshot) {
	w.count(len(f.Members))
	for _, m := range f.Members {
		w.have[m.Key] = m
	}
	w.next, w.complete = f.Next, f.Next == ""
	w.check(f.Count)
}

func (w *watcher) apply(d *Diff) {
	if d.Seq != w.seq+1 {
		w.fail("diff %d after %d", d.Seq, w.seq)
	}
	w.seq, w.partial = d.Seq, d.Partial
	w.count(len(d.Entered) + len(d.Updated) + len(d.Left))
	for _, m := range d.Entered {
		if w.have[m.Key] != nil {
			w.fail("%s entered twice", m.Key)
		}
		w.have[m.Key] = m
	}
	for _, m := range d.Updated {
		if w.have[m.Key] == nil && w.complete {
			w.fail("%s updated, but not there", m.Key)
		}
		if w.have[m.Key].Same(m) {
			w.fail("%s updated to the same", m.Key)
		}
		w.have[m.Key] = m
	}
	for _, m := range d.Left {
		if w.have[m.Key] == nil && w.complete {
			w.fail("%s left, but was not there", m.Key)
		}
		delete(w.have, m.Key)
	}
	w.check(d.Count)
}

// page asks for the rest of the room, page by page.
func (w *watcher) page() {
	if err := w.stay.Snapshot(w.next, w.paged); err != nil {
		w.fail("next page: %v", err)
	}
}

func (w *watcher) paged(f *Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.Seq != w.seq {
		w.fail("page of %d at %d", f.Seq, w.seq)
	}
	for key := range w.have {
		if key > f.After && (f.Next == "" || key <= f.Next) {
			delete(w.have, key)
		}
	}
	w.fill(f)
}

func (w *watcher) check(count int) {
	if w.complete && len(w.have) != count {
		w.fail("has %d members, told %d", len(w.have), count)
	}
}

func (w *watcher) count(names int) {
	if w.names = max(w.names, names); names > w.limit {
		w.fail("%d names in a frame", names)
	}
}

func (w *watcher) fail(format string, args ...any) {
	w.t.Errorf(format+" (told %s)", append(args, strings.Join(w.log[max(0, len(w.log)-8):], " | "))...)
}

// members returns the sorted keys the watcher has, each with what it shows.
func (w *watcher) members() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return shown(maps.Values(w.have))
}

// incomplete reports whether there are pages that the watcher has not.
func (w *watcher) incomplete() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.complete
}

// wire is about what a frame is on the wire.
func wire(f Frame) []byte {
	type payload struct {
		Channel string                     `json:"channel"`
		Users   []string                   `json:"users,omitempty"`
		Entered []string                   `json:"entered,omitempty"`
		Updated []string                   `json:"updated,omitempty"`
		Left    []string                   `json:"left,omitempty"`
		Info    map[string]json.RawMessage `json:"info,omitempty"`
		Count   int                        `json:"count"`
		More    bool                       `json:"more,omitempty"`
	}
	p := payload{Info: make(map[string]json.RawMessage)}
	add := func(ms []*Member) (keys []string) {
		for _, m := range ms {
			keys = append(keys, m.Key)
			if m.Info != "" {
				p.Info[m.Key] = json.RawMessage(m.Info)
			}
		}
		return keys
	}
	switch f := f.(type) {
	case *Snapshot:
		p.Channel, p.Count, p.More = f.Channel, f.Count, f.Next != ""
		p.Users = add(f.Members)
	case *Diff:
		p.Channel, p.Count = f.Channel, f.Count
		p.Entered, p.Updated = add(f.Entered), add(f.Updated)
		for _, m := range f.Left {
			p.Left = append(p.Left, m.Key)
		}
	}
	out, err := json.Marshal(map[string]any{"type": "presence", "timestamp": 1763900000000, "payload": p})
	if err != nil {
		panic(err)
	}
	return out
}

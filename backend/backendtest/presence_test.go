package backendtest_test

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/backendtest"
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// presenceFaultVariable names, in a child process, the fault to run the presence
// contract with.
const presenceFaultVariable = "BACKENDTEST_PRESENCE_FAULT"

func TestPresenceContractFindsFaults(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(presenceFaults)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := presenceFaults[name].found
			c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPresenceFault$/^("+strings.Join(found, "|")+")$", "-test.timeout=20s")
			c.Env = append(os.Environ(), presenceFaultVariable+"="+name)
			out, err := c.CombinedOutput()
			for _, test := range found {
				if err == nil || !strings.Contains(string(out), "--- FAIL: TestPresenceFault/"+test) {
					t.Errorf("%s did not notice (%v):\n%s", test, err, out)
				}
			}
		})
	}
}

// TestPresenceFault is what the child processes run; by itself it does nothing.
func TestPresenceFault(t *testing.T) {
	f, ok := presenceFaults[os.Getenv(presenceFaultVariable)]
	if !ok {
		return
	}
	backendtest.SetPatience(time.Second)
	backendtest.RunPresence(t, func(t *testing.T) func(presence.Sink) presence.Store {
		first := memory.NewPresenceStore(quiet{})
		t.Cleanup(func() { first.Close() })
		return func(sink presence.Sink) presence.Store { return f.store(first, sink) }
	})
}

// presenceFault is a way to be wrong, and the tests that have to notice.
type presenceFault struct {
	store func(first *memory.PresenceStore, sink presence.Sink) presence.Store
	found []string
}

type quiet struct{}

func (quiet) Changed(string, ...presence.Event) {}
func (quiet) Missed(string)                     {}

// filter is a sink that changes what it is told, one event at a time.
type filter struct {
	presence.Sink
	f func(tell func(presence.Event), ev presence.Event)
}

func (f filter) Changed(channel string, evs ...presence.Event) {
	for _, ev := range evs {
		f.f(func(ev presence.Event) { f.Sink.Changed(channel, ev) }, ev)
	}
}

// told makes a fault of what is told.
func told(f func(tell func(presence.Event), ev presence.Event)) func(*memory.PresenceStore, presence.Sink) presence.Store {
	return func(first *memory.PresenceStore, sink presence.Sink) presence.Store {
		return first.Join(filter{sink, f})
	}
}

// faulty is a store that gets its arguments and results changed. Nil changes
// nothing.
type faulty struct {
	presence.Store
	member  func(presence.Member) presence.Member
	leaving func(presence.Departure) presence.Departure
	query   func(presence.Query) presence.Query
	page    func(presence.Page) presence.Page
	channel func(string) string
	context func(context.Context) context.Context
	has     func(there bool) bool
	close   func() error
}

func change[T any](f func(T) T, v T) T {
	if f == nil {
		return v
	}
	return f(v)
}

func (s faulty) Attach(ctx context.Context, channel string) error {
	return s.Store.Attach(change(s.context, ctx), channel)
}

func (s faulty) Enter(ctx context.Context, channel string, ms []*presence.Member) error {
	var changed []*presence.Member
	for _, m := range ms {
		c := change(s.member, *m)
		changed = append(changed, &c)
	}
	return s.Store.Enter(change(s.context, ctx), change(s.channel, channel), changed)
}

func (s faulty) Leave(ctx context.Context, channel string, ds []presence.Departure) error {
	var changed []presence.Departure
	for _, d := range ds {
		changed = append(changed, change(s.leaving, d))
	}
	return s.Store.Leave(change(s.context, ctx), change(s.channel, channel), changed)
}

func (s faulty) List(ctx context.Context, channel string, q presence.Query) (presence.Page, error) {
	page, err := s.Store.List(change(s.context, ctx), change(s.channel, channel), change(s.query, q))
	return change(s.page, page), err
}

func (s faulty) Has(ctx context.Context, channel, key string, as presence.Owner) (bool, error) {
	there, err := s.Store.Has(change(s.context, ctx), change(s.channel, channel), key, as)
	return change(s.has, there), err
}

func (s faulty) Close() error {
	if s.close != nil {
		return s.close()
	}
	return s.Store.Close()
}

// with makes a fault of a store around a good one.
func with(f faulty) func(*memory.PresenceStore, presence.Sink) presence.Store {
	return func(first *memory.PresenceStore, sink presence.Sink) presence.Store {
		f := f
		f.Store = first.Join(sink)
		return f
	}
}

var joined atomic.Int32

var presenceFaults = map[string]presenceFault{
	"tells twice": {told(func(tell func(presence.Event), ev presence.Event) { tell(ev); tell(ev) }),
		[]string{"PresenceEnter", "PresenceUpdate", "PresenceLeave"}},

	"does not tell of leaving": {told(func(tell func(presence.Event), ev presence.Event) {
		if ev.Kind != presence.Left {
			tell(ev)
		}
	}), []string{"PresenceLeave", "PresenceTwoNodes", "PresenceAttach", "PresenceClose"}},

	"updates by leaving": {told(func(tell func(presence.Event), ev presence.Event) {
		if ev.Kind == presence.Updated {
			tell(presence.Event{Kind: presence.Left, Member: ev.Member})
			ev.Kind = presence.Entered
		}
		tell(ev)
	}), []string{"PresenceUpdate", "PresenceStatus", "PresenceInfo"}},

	"tells each node in another order": {func(first *memory.PresenceStore, sink presence.Sink) presence.Store {
		var late *presence.Event
		odd := joined.Add(1)%2 == 1
		return first.Join(filter{sink, func(tell func(presence.Event), ev presence.Event) {
			if odd && late == nil && ev.Member.Key == "u3" {
				late = &ev
				return
			}
			tell(ev)
			if late != nil && late.Member.Key != ev.Member.Key {
				tell(*late)
				late = nil
			}
		}})
	}, []string{"PresenceConcurrently"}},

	"one node for all": {func(first *memory.PresenceStore, sink presence.Sink) presence.Store {
		return oneForAll{first.Join(sink), first}
	}, []string{"PresenceTwoNodes", "PresenceStatus", "PresenceBack"}},

	"takes the status said last": {with(faulty{member: func(m presence.Member) presence.Member {
		if presence.Rank(m.Status) < 2 {
			m.Status = "." + m.Status
		}
		return m
	}}), []string{"PresenceStatus"}},

	"drops the info": {with(faulty{member: func(m presence.Member) presence.Member { m.Info = ""; return m }}),
		[]string{"PresenceEnter", "PresenceInfo", "PresenceList"}},

	"remembers all": {with(faulty{member: func(m presence.Member) presence.Member { m.Remember = time.Hour; return m }}),
		[]string{"PresenceNotRemembered", "PresenceForgotten", "PresenceManyAtOnce"}},

	"remembers nobody": {with(faulty{member: func(m presence.Member) presence.Member { m.Remember = 0; return m }}),
		[]string{"PresenceOffline", "PresenceBack", "PresenceForgotten"}},

	"saw everybody last when they left": {with(faulty{leaving: func(d presence.Departure) presence.Departure { d.Ago = 0; return d }}),
		[]string{"PresenceOffline"}},

	"lists in any order": {with(faulty{page: func(p presence.Page) presence.Page { slices.Reverse(p.Members); return p }}),
		[]string{"PresenceList", "PresencePages", "PresenceOffline"}},

	"lists who is offline to all": {with(faulty{query: func(q presence.Query) presence.Query { q.Offline = true; return q }}),
		[]string{"PresenceOffline"}},

	"counts the page": {with(faulty{page: func(p presence.Page) presence.Page { p.Count = len(p.Members); return p }}),
		[]string{"PresenceList", "PresencePages"}},

	"knows no end of pages": {with(faulty{page: func(p presence.Page) presence.Page { p.More = len(p.Members) > 0; return p }}),
		[]string{"PresencePages"}},

	"has nobody": {with(faulty{has: func(bool) bool { return false }}), []string{"PresenceHas"}},

	"has everybody": {with(faulty{has: func(bool) bool { return true }}), []string{"PresenceHas"}},

	"forgets the owner": {with(faulty{member: func(m presence.Member) presence.Member { m.Owner = presence.Either; return m }}),
		[]string{"PresenceOwner"}},

	"has one room": {with(faulty{channel: func(string) string { return "one" }}),
		[]string{"PresenceRoomsApart", "PresenceEnter"}},

	"ignores contexts": {with(faulty{context: context.WithoutCancel}),
		[]string{"PresenceCancelled"}},

	"does not close": {with(faulty{close: func() error { return nil }}),
		[]string{"PresenceClose"}},
}

// oneForAll hears as a node of its own, and speaks as one that all share.
type oneForAll struct {
	presence.Store
	shared presence.Store
}

func (s oneForAll) Enter(ctx context.Context, channel string, ms []*presence.Member) error {
	return s.shared.Enter(ctx, channel, ms)
}

func (s oneForAll) Leave(ctx context.Context, channel string, ds []presence.Departure) error {
	return s.shared.Leave(ctx, channel, ds)
}

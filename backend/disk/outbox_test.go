package disk

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// complete is a store with all its parts, as a node has them.
type complete struct {
	t       *testing.T
	store   *Store
	broker  *Broker
	box     *memory.Outbox
	members *memory.PresenceStore
	seen    []string // events of members
	fence   uint64
}

// quiet is a sink of members that notes what happens.
type quiet struct{ w *complete }

func (q quiet) Changed(_ string, evs ...presence.Event) {
	for _, ev := range evs {
		q.w.seen = append(q.w.seen, fmt.Sprint(ev.Kind, " ", ev.Member.Key))
	}
}
func (quiet) Missed(string) {}

// openWhole opens a store. A crash is a copy of its file that was never closed.
func openWhole(t *testing.T, dir string, b notify.Bounds) *complete {
	t.Helper()
	s, err := Open(Options{Dir: dir, Hub: "default", Return: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	w := &complete{t: t, store: s}
	if w.box, err = s.Outbox(); err != nil {
		t.Fatal(err)
	}
	w.box.Choose(notify.NewChoice(notify.Types, nil), b)
	s.EndHolds()
	if w.broker, err = s.Broker(deaf{}, memory.Options{Outbox: w.box}); err != nil {
		t.Fatal(err)
	}
	w.members = s.Presence(quiet{w})
	t.Cleanup(func() { w.close() })
	return w
}

func (w *complete) close() {
	_ = w.members.Close()
	_ = w.broker.Close()
	_ = w.box.Close()
	_ = w.store.Close()
}

// sync waits until all is on the disk.
func (w *complete) sync() {
	w.t.Helper()
	if err := (journal{w.store}).Sync(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// crash opens a copy of the file as it is.
func (w *complete) crash(b notify.Bounds) *complete {
	w.t.Helper()
	return openWhole(w.t, copyOf(w.t, w.store), b)
}

func (w *complete) next(n int) notify.Batch {
	w.t.Helper()
	c, err := w.box.Claim(w.t.Context(), notify.Claim{Sink: "app", Owner: "me", Lease: time.Minute})
	if err != nil {
		w.t.Fatal(err)
	}
	w.fence = c.Fence
	b, err := w.box.Next(w.t.Context(), "app", c.Fence, n, 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *complete) done(o notify.Outcome) {
	w.t.Helper()
	if err := w.box.Done(w.t.Context(), "app", w.fence, o); err != nil {
		w.t.Fatal(err)
	}
}

func words(b notify.Batch) (all []string) {
	for _, e := range b.Events {
		all = append(all, fmt.Sprint(e.Type, " ", e.Channel, e.Connection, e.User))
	}
	return all
}

// Events that were recorded are there after a crash, with the same ids and in the same batch, also
// those of a message in the transaction of the message. Delivered events are gone.
func TestEventsSurviveACrash(t *testing.T) {
	t.Parallel()
	w := openWhole(t, t.TempDir(), notify.Bounds{})
	for i := range 4 {
		publish(t, w.broker, "room", fmt.Sprint(i), "", hundred)
	}
	w.next(1)
	w.done(notify.Outcome{})
	first := w.next(2)
	publish(t, w.broker, "room", `"last"`, "", hundred)
	w = w.crash(notify.Bounds{})
	again := w.next(2)
	if again.ID != first.ID || len(again.Events) != 2 || again.Events[0].ID != first.Events[0].ID || string(again.Events[0].Content) != "1" {
		t.Errorf("after the crash %+v, before %+v", again, first)
	}
	w.done(notify.Outcome{Lost: 2})
	w.sync()
	w = w.crash(notify.Bounds{})
	rest := w.next(10)
	if n := len(rest.Events); n != 3 || rest.Events[0].Type != notify.Lost || rest.Events[0].Count != 2 || string(rest.Events[2].Content) != `"last"` {
		t.Errorf("after the next crash %+v", rest)
	}
	w.done(notify.Outcome{})
	w.sync()
	if n := count(t, w.store, eventsBucket); n != 0 {
		t.Errorf("%d events in the file", n)
	}
}

// A message or a change that can not be stored is no event.
func TestEventsOfFailedChanges(t *testing.T) {
	t.Parallel()
	w := openWhole(t, t.TempDir(), notify.Bounds{})
	d, err := w.store.Documents(deaf{}, w.box)
	if err != nil {
		t.Fatal(err)
	}
	w.box.Occupy("room")
	db := w.store.file.db
	w.store.file.mu.Lock()
	w.store.file.o.Dir, w.store.file.path, w.store.file.db = "/", "/", nil // it can not be opened
	w.store.file.mu.Unlock()
	if _, err := w.broker.Publish(t.Context(), message("room", "1"), hub.PublishOptions{Retention: hundred}); err == nil {
		t.Error("a publish without a file")
	}
	if _, err := commitTo(t, d, "d", document.Commit{}); err == nil {
		t.Error("a change without a file")
	}
	w.store.file.mu.Lock()
	w.store.file.db = db
	w.store.file.mu.Unlock()
	_, _ = commitTo(t, d, "d", document.Commit{})
	if got := words(w.next(10)); !slices.Equal(got, []string{"occupied room", "changed d"}) {
		t.Errorf("events: %q", got)
	}
}

// What does not fit is lost, with its number, also over a crash.
func TestEventsOverflow(t *testing.T) {
	t.Parallel()
	bounds := notify.Bounds{Events: 3}
	w := openWhole(t, t.TempDir(), bounds)
	for i := range 8 {
		publish(t, w.broker, "room", fmt.Sprint(i), "", hundred)
	}
	w.sync()
	w = w.crash(bounds)
	w.next(10)
	w.done(notify.Outcome{})
	w.next(10) // reports
	w.sync()
	if b := w.next(10); len(b.Events) != 1 || b.Events[0].Type != notify.Lost || b.Events[0].Count != 5 {
		t.Errorf("after the overflow: %+v", b.Events)
	}
}

// After a crash the app learns of connections and channels that are gone, once.
func TestHoldsEndAfterACrash(t *testing.T) {
	t.Parallel()
	w := openWhole(t, t.TempDir(), notify.Bounds{})
	w.box.Connect("c1", "ann")
	w.box.Connect("c2", "")
	w.box.Disconnect("c2", "")
	w.box.Occupy("room")
	w.sync()
	w.next(10)
	w.done(notify.Outcome{})
	w.sync()
	w = w.crash(notify.Bounds{})
	w.sync()
	got := words(w.next(10))
	if slices.Sort(got); !slices.Equal(got, []string{"disconnected c1ann", "vacated room"}) {
		t.Errorf("after the crash: %q", got)
	}
	w.done(notify.Outcome{})
	w.sync()
	if w = w.crash(notify.Bounds{}); len(w.next(10).Events) > 0 {
		t.Error("the ends were recorded again")
	}
}

// Members start a restart in their grace: one that comes back was never gone, the other leaves, for
// the room and for the app. Remembered members stay remembered.
func TestMembersAfterACrash(t *testing.T) {
	t.Parallel()
	w := openWhole(t, t.TempDir(), notify.Bounds{})
	member := func(key string, grace time.Duration) *presence.Member {
		return &presence.Member{Key: key, Info: `{"a":1}`, Remember: time.Minute, Grace: grace}
	}
	grace := 200 * time.Millisecond
	w.enter(member("back", grace), member("away", grace), member("guest", 0), member("old", grace))
	_ = w.members.Leave(t.Context(), "room", []presence.Departure{{Key: "old"}})
	w.sync()
	w.next(10)
	w.done(notify.Outcome{})
	w.sync()

	w = w.crash(notify.Bounds{})
	if err := w.members.Attach(t.Context(), "room"); err != nil {
		t.Fatal(err)
	}
	w.enter(member("back", grace))
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		page, err := w.members.List(t.Context(), "room", presence.Query{Limit: 10, Offline: true})
		if err != nil {
			t.Fatal(err)
		}
		if page.Count == 1 && len(page.Members) == 4 && page.Members[1].Key == "back" && page.Members[1].LastSeen.IsZero() {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("members: %+v", page)
		}
	}
	w.sync()
	if got, want := words(w.next(10)), []string{"left roomguest", "left roomaway"}; !slices.Equal(got, want) {
		t.Errorf("events %q, not %q", got, want)
	}
	w.done(notify.Outcome{})
	// A clean end keeps the members that are present.
	dir := w.store.o.Dir
	w.close()
	w = openWhole(t, dir, notify.Bounds{})
	if there, _ := w.members.Has(t.Context(), "room", "back", presence.Either); !there {
		t.Error("the end of the process let a member leave")
	}
	if n, _ := w.members.Forget(t.Context(), "away"); n != 1 {
		t.Errorf("forgotten in %d rooms", n)
	}
	w.sync()
	if n := count(t, w.store, membersBucket); n != 3 {
		t.Errorf("%d members in the file", n)
	}
}

func (w *complete) enter(ms ...*presence.Member) {
	w.t.Helper()
	if err := w.members.Enter(w.t.Context(), "room", ms); err != nil {
		w.t.Fatal(err)
	}
}

package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

var hundred = hub.Retention{Size: 100, TTL: time.Hour}

// deaf is a sink that does nothing.
type deaf struct{}

func (deaf) Broadcast(string, ...*hub.Message) {}

// open opens a store that the test closes.
func open(t *testing.T, o Options) (*Store, *Broker) {
	t.Helper()
	o.Hub = "default"
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Broker(deaf{}, memory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s, b) })
	return s, b
}

func shut(t *testing.T, s *Store, b *Broker) {
	t.Helper()
	if err := errors.Join(b.Close(), s.Close()); err != nil {
		t.Error(err)
	}
}

func message(channel, content string) *hub.Message {
	m := &hub.Message{Channel: channel, Content: []byte(content), Event: "e", Sender: "ann", Tags: []byte(`{"a":1}`), Time: time.Now()}
	m.Position.Anchor = m.Hash()
	return m
}

func publish(t *testing.T, b *Broker, channel, content, key string, keep hub.Retention) hub.Published {
	t.Helper()
	p, err := b.Publish(t.Context(), message(channel, content), hub.PublishOptions{Retention: keep, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func page(t *testing.T, b *Broker, channel string, since *hub.Position) hub.HistoryPage {
	t.Helper()
	p, err := b.History(t.Context(), channel, hundred, hub.HistoryQuery{Since: since, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What was acknowledged is there after the store was closed and opened again, and goes on from
// there: messages, positions, keys and the epoch of a room that is still empty.
func TestRestart(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	s, b := open(t, o)
	short := hub.Retention{Size: 2}
	for i := range 5 {
		publish(t, b, "short", fmt.Sprint(i), "", short)
	}
	first := publish(t, b, "room", `"x"`, "key", hundred)
	unlogged := publish(t, b, "plain", `"y"`, "other", hub.Retention{})
	empty := page(t, b, "empty", nil).Top
	want := page(t, b, "short", nil)
	shut(t, s, b)

	_, b = open(t, o)
	got := page(t, b, "short", nil)
	if got.Top != want.Top || len(got.Messages) != 2 || string(got.Messages[0].Content) != "3" || got.Messages[1].Position != want.Top ||
		string(got.Messages[0].Tags) != `{"a":1}` || got.Messages[0].Sender != "ann" || !got.Messages[0].Time.Equal(want.Messages[0].Time) {
		t.Errorf("after the restart %+v, before %+v", got, want)
	}
	if p := page(t, b, "empty", &empty); p.Top != empty || p.Lost {
		t.Errorf("an empty room has moved from %v to %v", empty, p.Top)
	}
	if again := publish(t, b, "room", `"x"`, "key", hundred); !again.Duplicate || again.Position != first.Position {
		t.Errorf("a repeat after the restart: %+v, first %+v", again, first)
	}
	if again := publish(t, b, "plain", `"y"`, "other", hub.Retention{}); !again.Duplicate || again.Position != unlogged.Position {
		t.Errorf("a repeat without history after the restart: %+v", again)
	}
	if next := publish(t, b, "short", "5", "", short); next.Position.Offset != 6 || next.Position.Epoch != want.Top.Epoch {
		t.Errorf("the next message is at %v, after %v", next.Position, want.Top)
	}
	if p := page(t, b, "short", &want.Top); p.Lost || len(p.Messages) != 1 {
		t.Errorf("continued after the restart: %+v", p)
	}
}

// A room that memory has dropped is loaded again.
func TestRoomLeavesMemory(t *testing.T) {
	t.Parallel()
	_, b := open(t, Options{Dir: t.TempDir()})
	top := publish(t, b, "room", strings.Repeat("1", 1000), "", hundred).Position
	b.Memory().Resize(500)
	if b.Memory().Has("room") {
		t.Fatal("the room is still in memory")
	}
	b.Memory().Resize(0)
	if p := page(t, b, "room", nil); p.Top != top || len(p.Messages) != 1 {
		t.Errorf("%+v, want the message at %v", p, top)
	}
}

// What is removed stays removed after a restart, and a room that had its history ended has
// another epoch.
func TestRemovedStaysRemoved(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	s, b := open(t, o)
	secret := publish(t, b, "redacted", `"secret"`, "", hundred).Position
	publish(t, b, "purged", `"secret"`, "", hundred)
	ended := publish(t, b, "ended", `"secret"`, "", hundred).Position
	if found, err := b.Redact(t.Context(), "redacted", hundred, secret); !found || err != nil {
		t.Errorf("redacted: %v, %v", found, err)
	}
	if n, err := b.Purge(t.Context(), "purged", hundred); n != 1 || err != nil {
		t.Errorf("purged: %d, %v", n, err)
	}
	publish(t, b, "ended", `"unplaced"`, "", hub.Retention{})
	shut(t, s, b)

	_, b = open(t, o)
	if p := page(t, b, "redacted", nil); len(p.Messages) != 1 || string(p.Messages[0].Content) != "null" || p.Top != secret {
		t.Errorf("redacted: %+v", p)
	}
	if p := page(t, b, "purged", nil); len(p.Messages) != 0 || p.Top.Offset != 1 {
		t.Errorf("purged: %+v", p)
	}
	if p := page(t, b, "ended", &ended); len(p.Messages) != 0 || p.Top.Epoch == ended.Epoch || !p.Lost {
		t.Errorf("ended: %+v", p)
	}
}

// Expired messages and keys leave the file.
func TestExpiry(t *testing.T) {
	t.Parallel()
	s, b := open(t, Options{Dir: t.TempDir(), KeyWindow: 50 * time.Millisecond, sweep: 20 * time.Millisecond})
	top := publish(t, b, "room", `"x"`, "key", hub.Retention{Size: 10, TTL: 50 * time.Millisecond}).Position
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		messages, keys := entries(t, s)
		if messages == 0 && keys == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d messages and %d keys are still in the file", messages, keys)
		}
	}
	if p := page(t, b, "room", &top); p.Lost || p.Top != top {
		t.Errorf("the position of the room: %+v, want %v", p, top)
	}
}

func entries(t *testing.T, s *Store) (messages, keys int) {
	t.Helper()
	err := s.file.view(func(tx *bbolt.Tx) error {
		messages, keys = tx.Bucket(messagesBucket).Stats().KeyN, tx.Bucket(keysBucket).Stats().KeyN
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return messages, keys
}

// executor notes the orders that it executes.
type executor struct {
	bodies   []string
	informed bool
}

func (e *executor) Execute(body []byte, _ time.Duration) (int, error) {
	e.bodies = append(e.bodies, string(body))
	return 0, nil
}

func (e *executor) Informed() { e.informed = true }

func TestOrders(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	s, b := open(t, o)
	c := s.Control(new(executor))
	for _, order := range []hub.Order{
		{Body: []byte("kick")}, {Name: "a", Body: []byte("old")}, {Name: "a", Body: []byte("new")},
		{Name: "short", Body: []byte("over"), Lasts: time.Nanosecond}, {Name: "b", Body: []byte("ended")}, {Body: []byte("pardon"), Ends: []string{"b"}},
	} {
		if _, err := c.Order(t.Context(), order); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, s, b)

	s, _ = open(t, o)
	var e executor
	if s.Control(&e); len(e.bodies) != 1 || e.bodies[0] != "new" || !e.informed {
		t.Errorf("after the restart: %+v", e)
	}
}

// When the file can not grow, publishes are rejected. Nothing is lost, and the store goes on when
// there is space.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	s, b := open(t, Options{Dir: t.TempDir(), maxBytes: 1 << 20})
	large := `"` + strings.Repeat("x", 20_000) + `"`
	n, err := 0, error(nil)
	for ; err == nil && n < 1000; n++ {
		_, err = b.Publish(t.Context(), message("room", large), hub.PublishOptions{Retention: hub.Retention{Size: 1000}})
	}
	if !errors.Is(err, hub.ErrUnavailable) {
		t.Fatalf("publishing to a full disk: %v", err)
	}
	full, err := b.History(t.Context(), "room", hub.Retention{Size: 1000}, hub.HistoryQuery{Limit: 1000})
	if err != nil || len(full.Messages) != n-1 {
		t.Fatalf("%d messages of %d, %v", len(full.Messages), n-1, err)
	}
	s.file.mu.Lock()
	s.file.o.maxBytes = 0
	s.file.mu.Unlock()
	_, _ = s.file.reopen()
	if p := publish(t, b, "room", large, "", hub.Retention{Size: 1000}); p.Position.Offset != uint64(n) {
		t.Errorf("the next message is at %v, after %v", p.Position, full.Top)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	used := t.TempDir()
	open(t, Options{Dir: used})
	other, newer, damaged := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, other, Options{Hub: "chat"}, func(*bbolt.Tx) error { return nil })
	write(t, newer, Options{Hub: "default"}, func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(metaFormat, number(2)) })
	if err := os.WriteFile(filepath.Join(damaged, fileName), []byte(strings.Repeat("no store ", 10_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		used:    "another process or another hub has",
		other:   "it belongs to the hub 'chat', not to 'default'",
		newer:   "it has format 2 and this version reads format 1",
		damaged: "is damaged or not a store",
		file:    "is no folder, or lies below a file",
	} {
		_, err := Open(Options{Dir: dir, Hub: "default", Wait: 100 * time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// write makes a store and changes its file.
func write(t *testing.T, dir string, o Options, change func(*bbolt.Tx) error) {
	t.Helper()
	o.Dir = dir
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.file.update(change), s.Close()); err != nil {
		t.Fatal(err)
	}
}

// A copy of the file, taken while it is written, opens and has every message that was
// acknowledged before the copy began.
func TestCopyUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, b := open(t, Options{Dir: dir})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ctx.Err() == nil; i++ {
			_, _ = b.Publish(ctx, message(fmt.Sprint("room", i%3), `"x"`), hub.PublishOptions{Retention: hundred})
		}
	}()
	for range 5 {
		acked := publish(t, b, "copied", `"x"`, "", hundred).Position
		copied := t.TempDir()
		err := s.file.view(func(tx *bbolt.Tx) error { return tx.CopyFile(filepath.Join(copied, fileName), 0o600) })
		if err != nil {
			t.Fatal(err)
		}
		_, other := open(t, Options{Dir: copied})
		if p := page(t, other, "copied", &acked); p.Lost || p.Top.Offset < acked.Offset {
			t.Errorf("the copy has %v, acknowledged was %v", p.Top, acked)
		}
		for i := range 3 {
			page(t, other, fmt.Sprint("room", i), nil)
		}
	}
	cancel()
	<-done
}

// copyOf returns a folder with a copy of the file as it is now.
func copyOf(t *testing.T, s *Store) (dir string) {
	t.Helper()
	dir = t.TempDir()
	err := s.file.view(func(tx *bbolt.Tx) error { return tx.CopyFile(filepath.Join(dir, fileName), 0o600) })
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

// eagerly returns options with which a store is compacted all the time. Each copy is compared with
// its file before the switch.
func eagerly(t *testing.T, dir string) (o Options, switches *atomic.Int64) {
	switches = new(atomic.Int64)
	o = Options{Dir: dir, sweep: time.Millisecond, eager: true}
	o.compare = func(old *file, c *copying) {
		switches.Add(1)
		copied := &file{o: old.o, path: c.path, db: c.to}
		if was, is := contents(t, old), contents(t, copied); was != is {
			t.Errorf("the copy differs.\nfile:\n%s\ncopy:\n%s", was, is)
		}
	}
	return o, switches
}

// contents returns all that a file has, as text.
func contents(t *testing.T, f *file) string {
	var text bytes.Buffer
	err := f.view(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			fmt.Fprintf(&text, "%s %d\n", name, b.Sequence())
			return b.ForEach(func(k, v []byte) error {
				fmt.Fprintf(&text, "  %x %x\n", k, v)
				return nil
			})
		})
	})
	if err != nil {
		t.Error(err)
	}
	return text.String()
}

// While publishers work, one compaction after the other loses nothing: the copies have what the
// file has, and so has the store after a restart.
func TestCompactionUnderLoad(t *testing.T) {
	t.Parallel()
	o, switches := eagerly(t, t.TempDir())
	s, b := open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const publishers = 8
	var last [publishers]hub.Position
	var all sync.WaitGroup
	for i := range publishers {
		all.Go(func() {
			room := fmt.Sprint("room", i)
			for n := 0; ctx.Err() == nil; n++ {
				p, err := b.Publish(t.Context(), message(room, `"x"`), hub.PublishOptions{Retention: hub.Retention{Size: 20}, Key: fmt.Sprint(n)})
				if err != nil || p.Position.Offset != uint64(n+1) {
					t.Errorf("message %d of %s: %+v, %v", n, room, p, err)
					return
				}
				if last[i] = p.Position; n%50 == 49 {
					_, _ = b.Redact(t.Context(), room, hundred, p.Position)
				}
			}
		})
	}
	for end := time.Now().Add(20 * time.Second); switches.Load() < 5; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d compactions", switches.Load())
		}
	}
	cancel()
	all.Wait()
	shut(t, s, b)
	_, b = open(t, Options{Dir: o.Dir})
	for i, at := range last {
		if p := page(t, b, fmt.Sprint("room", i), nil); p.Top != at || len(p.Messages) != 20 {
			t.Errorf("room %d: %v with %d messages, acknowledged was %v", i, p.Top, len(p.Messages), at)
		}
	}
}

// A file with much free space becomes small by itself.
func TestCompactionShrinks(t *testing.T) {
	t.Parallel()
	s, b := open(t, Options{Dir: t.TempDir(), sweep: 10 * time.Millisecond, minFree: 1 << 20})
	publish(t, b, "small", `"x"`, "", hundred)
	for range 100 {
		publish(t, b, "large", `"`+strings.Repeat("x", 40_000)+`"`, "", hundred)
	}
	before := size(t, s)
	if _, err := b.Purge(t.Context(), "large", hundred); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); size(t, s) > before/4; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the file has %d bytes, and had %d", size(t, s), before)
		}
	}
	if p := page(t, b, "small", nil); len(p.Messages) != 1 {
		t.Errorf("%+v", p)
	}
}

func size(t *testing.T, s *Store) int64 {
	info, err := os.Stat(s.file.path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// A process that waits for a file gets the one that has replaced it, not the one of before.
func TestOpenWaitsBesideCompaction(t *testing.T) {
	t.Parallel()
	o, switches := eagerly(t, t.TempDir())
	s, b := open(t, o)
	opened := make(chan error, 1)
	// On a busy machine a compaction takes longer than one wait.
	for end := time.Now().Add(20 * time.Second); switches.Load() == 0; {
		_, err := Open(Options{Dir: o.Dir, Hub: "default", Wait: 300 * time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), "another process") {
			t.Fatalf("a second store beside %d compactions: %v", switches.Load(), err)
		}
		if time.Now().After(end) {
			t.Fatal("there was no compaction")
		}
	}
	go func() {
		other, err := Open(Options{Dir: o.Dir, Hub: "default", Wait: 10 * time.Second})
		if err == nil {
			err = other.Close()
		}
		opened <- err
	}()
	time.Sleep(50 * time.Millisecond)
	last := publish(t, b, "room", `"x"`, "", hundred)
	shut(t, s, b)
	if err := <-opened; err != nil {
		t.Error(err)
	}
	if _, b = open(t, Options{Dir: o.Dir}); page(t, b, "room", nil).Top != last.Position {
		t.Error("the store that waited has removed a message")
	}
}

// A compaction that fails or panics leaves the file as it is, and no copy.
func TestPanicInACompaction(t *testing.T) {
	log := panictest.Default(t)
	s, b := open(t, Options{Dir: t.TempDir(), sweep: time.Hour})
	publish(t, b, "room", `"x"`, "", hundred)
	real := s.file
	c := &compaction{copy: &copying{from: nil, path: real.path + ".new"}, err: errors.New("no")}
	s.changes.set(true)
	s.changes.add(make([]change, 1))
	for i := range 2 * switchKeys {
		s.changes.add([]change{{"rooms", fmt.Sprint(i)}})
	}
	s.running.Go(func() { s.fill(c) })
	for end := time.Now().Add(10 * time.Second); s.changes.on(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the compaction does not end")
		}
	}
	log.Once(t, "the compaction of the store", "runtime error: invalid memory address or nil pointer dereference")
	publish(t, b, "room", `"x"`, "", hundred)
	if _, err := os.Stat(c.copy.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the copy is still there: %v", err)
	}
}

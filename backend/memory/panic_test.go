package memory

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// damage makes the log of a room say that it has messages which it has not got: whoever
// trims the log panics.
func damage(r *room) {
	l := new(log)
	of := reflect.ValueOf(l).Elem()
	for _, n := range []reflect.Value{of.FieldByName("slots").FieldByName("n"), of.FieldByName("bytes")} {
		*(*int)(n.Addr().UnsafePointer()) = 1 << 20
	}
	r.log.Store(l)
}

// A room whose history can not be trimmed costs no other room its turn, and is not pinned
// for ever.
func TestPanicInTheExpiryOfAHistory(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{})
		brief := hub.Retention{Size: 1, TTL: time.Minute}
		attach(t, b, "bad", brief)
		damage(lookup(b, "bad"))
		for i := range 2 * shards { // before and behind the damaged room
			publish(t, b, name(i), 1000, hub.PublishOptions{Retention: brief})
		}
		time.Sleep(2*time.Minute + time.Second)
		synctest.Wait()
		if got := log.Panics(t, "the expiry of a history"); len(got) < 2 {
			t.Errorf("panics: %q", got)
		}
		for i := range 2 * shards {
			if r := lookup(b, name(i)); r.bytes >= 1000 {
				t.Fatalf("room %d still has %d bytes", i, r.bytes)
			}
		}
		if r := lookup(b, "bad"); r.pins.Load() != 0 || !r.mu.TryLock() {
			t.Error("the damaged room stays pinned or locked")
		}
	})
}

// The bound on the memory holds for the others when a room can not be reduced.
func TestPanicInTheReductionOfAHistory(t *testing.T) {
	log := panictest.Default(t)
	b := start(t, Options{})
	attach(t, b, "bad", hundred)
	damage(lookup(b, "bad"))
	b.keep(lookup(b, "bad"), time.Now(), hub.Retention{Size: 1 << 20}) // counts what the log says
	attach(t, b, "good", hundred)
	publish(t, b, "good", 100_000, hub.PublishOptions{Retention: hundred})
	b.Resize(1000)
	if got := log.Panics(t, "the reduction of a history"); len(got) == 0 {
		t.Error("there was no panic")
	}
	for _, channel := range []string{"bad", "good"} {
		if r := lookup(b, channel); r.pins.Load() != 0 || channel == "good" && r.bytes >= 100_000 {
			t.Errorf("room %q has %d pins and %d bytes", channel, r.pins.Load(), r.bytes)
		}
	}
}

// The janitor goes on after a panic that no room is to blame for.
func TestPanicInTheJanitor(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{})
		s := b.shard("good")
		publish(t, b, "good", 1000, hub.PublishOptions{Retention: hub.Retention{Size: 1, TTL: time.Minute}})
		other := &b.shards[0]
		if other == s {
			other = &b.shards[1]
		}
		other.mu.Lock()
		other.rooms["bad"] = nil // no room
		other.mu.Unlock()
		time.Sleep(b.o.Sweep + time.Millisecond)
		synctest.Wait()
		log.Once(t, "the expiry of histories", "runtime error: invalid memory address or nil pointer dereference")
		other.mu.Lock()
		delete(other.rooms, "bad")
		other.mu.Unlock()
		time.Sleep(2*time.Minute + 2*b.o.Sweep)
		synctest.Wait()
		if r := s.rooms["good"]; r.bytes >= 1000 {
			t.Errorf("the room still has %d bytes", r.bytes)
		}
	})
}

// Members are forgotten in the end though the first try panics.
func TestPanicInTheExpiryOfMembers(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		s := NewPresenceStore(deaf{})
		t.Cleanup(func() { s.Close() })
		for _, key := range []string{"ann", "bob"} {
			enterRoom(t, s, "r", &presence.Member{Key: key, Remember: time.Minute})
			leaveRoom(t, s, "r", key)
		}
		s.table.rooms.in("r", func(r *presenceRoom) { r.gone.ledger = nil })
		time.Sleep(time.Minute + time.Millisecond)
		synctest.Wait()
		log.Once(t, "the expiry of members", "runtime error: invalid memory address or nil pointer dereference")
		if left := remembered(t, s, "r"); len(left) != 1 {
			t.Errorf("remembered: %q", left)
		}
		s.table.rooms.in("r", func(r *presenceRoom) { r.gone.ledger = &s.table.gone })
		time.Sleep(forgetAgain)
		synctest.Wait()
		if left := remembered(t, s, "r"); len(left) != 0 {
			t.Errorf("remembered: %q", left)
		}
	})
}

// brittle is a sink that panics.
type brittle struct{ deaf }

func (brittle) Changed(string, ...presence.Event) { panic("sink") }

// A sink that panics does not leave its room locked.
func TestPanicOfASink(t *testing.T) {
	t.Parallel()
	s := NewPresenceStore(brittle{})
	if err := s.Attach(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		enterRoom(t, s, "r", &presence.Member{Key: "ann"})
		t.Error("the sink did not panic")
	}()
	if r := s.table.rooms.by["r"]; !r.mu.TryLock() {
		t.Error("the room stays locked")
	}
}

// A room whose sink panics does not keep the members of others after a restart.
func TestPanicInTheEndOfAGrace(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		s := NewPresenceStore(brittle{})
		if err := s.Attach(t.Context(), "bad"); err != nil {
			t.Fatal(err)
		}
		saved := make(map[MemberKey]*SavedMember)
		for _, channel := range []string{"bad", "good", "fine"} {
			saved[MemberKey{channel, "ann"}] = &SavedMember{Member: &presence.Member{Key: "ann", Grace: time.Second}}
		}
		s.Restore(saved, 0)
		time.Sleep(time.Second)
		synctest.Wait()
		log.Once(t, "the end of a grace after a restart", "sink")
		for _, channel := range []string{"good", "fine"} {
			if there, err := s.Has(t.Context(), channel, "ann", presence.Either); there || err != nil {
				t.Errorf("the member is still in %s: %v, %v", channel, there, err)
			}
		}
	})
}

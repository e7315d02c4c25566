package memory

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func TestJanitorFreesMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{})
		p := publish(t, b, "a", 1000, hub.PublishOptions{Retention: hub.Retention{Size: 9, TTL: time.Minute}})
		empty := weight(lookup(b, "a"))
		if got := b.Stats().Bytes; got < empty+1000 {
			t.Errorf("%d bytes with a message", got)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if got := b.Stats().Bytes; got != empty {
			t.Errorf("%d bytes after it expired, want %d", got, empty)
		}
		if got := page(t, b, "a", hundred, hub.HistoryQuery{}); got.Top != p.Position {
			t.Errorf("the room is at %+v, want %+v", got.Top, p.Position)
		}
		audit(t, b)
	})
}

func TestJanitorFreesKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{})
		publish(t, b, "a", 1, hub.PublishOptions{Key: "key"})
		attach(t, b, "b", hub.Retention{})
		publish(t, b, "b", 1, hub.PublishOptions{Key: "key"})
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		if got := b.Stats().Bytes; got != 0 || lookup(b, "a") != nil || lookup(b, "b") == nil {
			t.Errorf("%d bytes in %d rooms after the keys expired", got, rooms(b))
		}
		audit(t, b)
	})
}

func TestIdleRoomsAreForgotten(t *testing.T) {
	t.Parallel()
	long := hub.Retention{Size: 9, TTL: 10 * time.Hour}
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{})
		attach(t, b, "attached", hundred)
		publish(t, b, "short", 1, hub.PublishOptions{Retention: hundred})
		publish(t, b, "long", 1, hub.PublishOptions{Retention: long})
		attach(t, b, "left", hundred)
		publish(t, b, "left", 1, hub.PublishOptions{Retention: hundred})
		time.Sleep(day - time.Minute)
		b.Detach("left")
		synctest.Wait()
		if rooms(b) != 4 {
			t.Errorf("%d rooms before a day is over", rooms(b))
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if lookup(b, "short") != nil || rooms(b) != 3 {
			t.Errorf("%d rooms after a day", rooms(b))
		}
		time.Sleep(day)
		synctest.Wait()
		if lookup(b, "left") != nil || rooms(b) != 2 {
			t.Errorf("%d rooms a day after the last one left", rooms(b))
		}
		page(t, b, "long", long, hub.HistoryQuery{})
		time.Sleep(100*time.Hour - time.Minute)
		synctest.Wait()
		if lookup(b, "long") == nil {
			t.Error("a room is forgotten before ten times its TTL")
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if lookup(b, "long") != nil || lookup(b, "attached") == nil {
			t.Error("the wrong room is left")
		}
		audit(t, b)
	})
}

func TestOldestRetentionDoesNotOverflow(t *testing.T) {
	t.Parallel()
	r := &room{home: new(shard), retention: hub.Retention{Size: 1, TTL: 200 * 365 * day}}
	r.keep(time.Now(), r.retention)
	r.append(time.Now(), new(hub.Message))
	if r.over(365 * day) {
		t.Error("a room of two centuries is over after a year")
	}
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{})
		publish(t, b, "a", 1, hub.PublishOptions{Retention: hundred})
		for range 2 {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
		if rooms(b) != 0 {
			t.Errorf("%d rooms after close", rooms(b))
		}
		// The bubble fails if the janitor is still there.
	})
}

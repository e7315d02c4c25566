package memory

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func TestKeyWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := counter{}
		b := New(sent, Options{})
		defer b.Close()
		for _, keep := range []hub.Retention{hundred, {}} {
			channel := fmt.Sprint("size:", keep.Size)
			o := hub.PublishOptions{Retention: keep, Key: "key"}
			first := publish(t, b, channel, 1, o)
			time.Sleep(10*time.Minute - 1)
			if p := publish(t, b, channel, 1, o); !p.Duplicate || p.Position != first.Position {
				t.Errorf("%s: within the window: %+v, want a duplicate of %+v", channel, p, first)
			}
			time.Sleep(1)
			if p := publish(t, b, channel, 1, o); p.Duplicate || sent[channel] != 2 {
				t.Errorf("%s: after the window: %+v, %d sent", channel, p, sent[channel])
			}
		}
	})
}

func TestKeysAreBounded(t *testing.T) {
	t.Parallel()
	const cost = keyBytes + 3
	for what, o := range map[string]Options{
		"by number": {Keys: 10},
		"by bytes":  {KeyBytes: 10 * cost},
	} {
		o = o.withDefaults()
		var k keys
		for i := range 100 {
			k.add(0, fmt.Sprintf("%03d", i), hub.Position{Offset: uint64(i)}, 1, o)
			if k.size() > 10*cost || len(k.young.seen)+len(k.old.seen) > 10 {
				t.Fatalf("%s: %d bytes in %d keys", what, k.size(), len(k.young.seen)+len(k.old.seen))
			}
			for back := range min(i+1, 5) {
				p, ok := k.find(0, fmt.Sprintf("%03d", i-back), time.Minute)
				if !ok || p.offset != uint64(i-back) {
					t.Fatalf("%s: key %d of %d: %v, %v", what, i-back, i, p, ok)
				}
			}
		}
	}
}

func TestOneKeyIsAlwaysKept(t *testing.T) {
	t.Parallel()
	o := Options{Keys: 1, KeyBytes: 1}.withDefaults()
	var k keys
	for i := range 5 {
		key := fmt.Sprint("a rather long key ", i)
		k.add(0, key, hub.Position{}, 1, o)
		if _, ok := k.find(0, key, time.Minute); !ok {
			t.Errorf("key %d is not remembered", i)
		}
	}
}

// Keys of a busy room live for the window although generations change.
func TestKeysSurviveTheirGeneration(t *testing.T) {
	t.Parallel()
	o := Options{}.withDefaults()
	const window = 10 * time.Minute
	var k keys
	for now := time.Duration(0); now < time.Hour; now += time.Minute {
		k.expire(now, window)
		k.add(now, fmt.Sprint(now), hub.Position{}, 1, o)
		for at := time.Duration(0); at <= now; at += time.Minute {
			if _, ok := k.find(now, fmt.Sprint(at), window); ok != (now-at < window) {
				t.Fatalf("at %v: the key of %v is known: %v", now, at, ok)
			}
		}
		if n := len(k.young.seen) + len(k.old.seen); n > 21 {
			t.Fatalf("at %v: %d keys for ten minutes", now, n)
		}
	}
	if k.expire(time.Hour, window) || !k.expire(2*time.Hour, window) || k.size() != 0 {
		t.Errorf("%d bytes after the last key expired", k.size())
	}
}

func TestNoKeys(t *testing.T) {
	t.Parallel()
	var none *keys
	if _, ok := none.find(0, "key", time.Minute); ok || none.size() != 0 {
		t.Error("a room without keys knows one")
	}
}

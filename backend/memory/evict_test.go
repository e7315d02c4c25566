package memory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

const kib = 1 << 10

func TestLeastRecentlyUsedGoFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{HistoryBytes: 160 * kib})
		o := hub.PublishOptions{Retention: hundred}
		var first [100]hub.Position
		for i := range 100 { // about 2 KiB each, so that all of them are over the bound
			if i == 0 {
				attach(t, b, name(i), hundred)
			}
			first[i] = publish(t, b, name(i), 1300, o).Position
			time.Sleep(time.Second)
			page(t, b, name(1), hundred, hub.HistoryQuery{})
			time.Sleep(time.Second)
		}
		if got := b.Stats(); got.Bytes > 160*kib || got.Evicted == 0 || got.Reduced != 0 {
			t.Errorf("%+v", got)
		}
		if lookup(b, name(0)) == nil || lookup(b, name(1)) == nil {
			t.Error("a room in use is gone")
		}
		gone := 2
		for gone < 100 && lookup(b, name(gone)) == nil {
			gone++
		}
		for i := gone; i < 100; i++ {
			if lookup(b, name(i)) == nil {
				t.Errorf("%d is gone although the older %d is kept", i, gone)
			}
		}
		if uint64(gone-2) != b.Stats().Evicted {
			t.Errorf("%d rooms are gone, %d evicted", gone-2, b.Stats().Evicted)
		}
		if again := publish(t, b, name(2), 1, o).Position; again.Epoch == first[2].Epoch || again.Offset != 1 {
			t.Errorf("after its log was lost the room goes on at %+v", again)
		}
		if p := page(t, b, name(2), hundred, hub.HistoryQuery{Since: &first[2], Limit: 9}); !p.Lost {
			t.Error("a position in a log that was lost is answered as if nothing was")
		}
		audit(t, b)
	})
}

// Rooms that somebody is attached to keep their epoch. The large one pays.
func TestLargestRoomIsReduced(t *testing.T) {
	t.Parallel()
	b := start(t, Options{HistoryBytes: 256 * kib})
	o := hub.PublishOptions{Retention: hub.Retention{Size: 1000}}
	attach(t, b, "small", o.Retention)
	attach(t, b, "large", o.Retention)
	for range 10 {
		publish(t, b, "small", kib, o)
	}
	first := publish(t, b, "large", kib, o).Position
	for range 500 {
		publish(t, b, "large", kib, o)
		if got := b.Stats().Bytes; got > 256*kib {
			t.Fatalf("%d bytes", got)
		}
	}
	small := page(t, b, "small", o.Retention, hub.HistoryQuery{Limit: 1000})
	large := page(t, b, "large", o.Retention, hub.HistoryQuery{Limit: 1000})
	if len(small.Messages) != 10 || len(large.Messages) < 150 {
		t.Errorf("%d and %d messages are left", len(small.Messages), len(large.Messages))
	}
	if large.Top.Epoch != first.Epoch || large.Top.Offset != 501 {
		t.Errorf("the large room is at %+v", large.Top)
	}
	if p := page(t, b, "large", o.Retention, hub.HistoryQuery{Since: &first, Limit: 9}); !p.Lost {
		t.Error("a position before what was dropped is answered as if nothing was")
	}
	if s := b.Stats(); s.Evicted != 0 || s.Reduced == 0 {
		t.Errorf("%+v", s)
	}
	audit(t, b)
}

func TestMessageLargerThanTheBound(t *testing.T) {
	t.Parallel()
	b := start(t, Options{HistoryBytes: 10 * kib})
	attach(t, b, "a", hundred)
	p := publish(t, b, "a", 20*kib, hub.PublishOptions{Retention: hundred})
	got := page(t, b, "a", hundred, hub.HistoryQuery{Limit: 9})
	if got.Top != p.Position || len(got.Messages) != 0 || b.Stats().Bytes > 10*kib {
		t.Errorf("%+v with %d bytes", got, b.Stats().Bytes)
	}
	if got := page(t, b, "a", hundred, hub.HistoryQuery{Since: &hub.Position{Epoch: p.Position.Epoch}, Limit: 9}); !got.Lost {
		t.Error("the message is missing, and the page does not say so")
	}
	publish(t, b, "unattached", 20*kib, hub.PublishOptions{Retention: hundred})
	if b.Stats().Bytes > 10*kib {
		t.Errorf("%d bytes", b.Stats().Bytes)
	}
	audit(t, b)
}

// Anybody may make up names of rooms: they have to be worth nothing.
func TestManyEmptyRooms(t *testing.T) {
	t.Parallel()
	b := start(t, Options{HistoryBytes: 256 * kib})
	for i := range 5000 {
		attach(t, b, name(i), hundred)
		b.Detach(name(i))
		publish(t, b, fmt.Sprint("keyed:", i), 1, hub.PublishOptions{Key: "key"})
	}
	if got := b.Stats().Bytes; got > 256*kib || rooms(b) > 256*kib/roomBytes {
		t.Errorf("%d bytes in %d rooms", got, rooms(b))
	}
	audit(t, b)
}

func TestAttachedRoomsCountNothingWhileEmpty(t *testing.T) {
	t.Parallel()
	b := start(t, Options{HistoryBytes: 10 * kib})
	publish(t, b, "kept", kib, hub.PublishOptions{Retention: hundred})
	for i := range 1000 {
		attach(t, b, name(i), hundred)
	}
	if lookup(b, "kept") == nil || b.Stats().Evicted != 0 {
		t.Error("quiet rooms pushed out what is kept")
	}
	audit(t, b)
}

func TestBoundUnderLoad(t *testing.T) {
	t.Parallel()
	const bound = 512 * kib
	b := start(t, Options{HistoryBytes: bound, Sweep: time.Millisecond, KeyWindow: 5 * time.Millisecond})
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for n := range 2000 {
				channel := name(r.IntN(200))
				o := hub.PublishOptions{Retention: hub.Retention{Size: r.IntN(3) * 20, TTL: time.Duration(r.IntN(2)) * time.Millisecond}}
				if n%3 == 0 {
					o.Key = fmt.Sprint(i, n)
				}
				attach(t, b, channel, o.Retention)
				p := publish(t, b, channel, r.IntN(4*kib), o)
				page(t, b, channel, o.Retention, hub.HistoryQuery{Since: &p.Position, Limit: 10})
				b.Detach(channel)
				if got := b.Stats().Bytes; got > 2*bound {
					t.Errorf("%d bytes", got)
				}
			}
		})
	}
	wg.Wait()
	b.cleaning.Lock() // no sweep meanwhile
	defer b.cleaning.Unlock()
	if b.fit(); b.Stats().Bytes > bound {
		t.Errorf("%d bytes in the end", b.Stats().Bytes)
	}
	audit(t, b)
}

func TestDroppedLogIsFreed(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	attach(t, b, "a", hundred)
	w := func() weak.Pointer[hub.Message] {
		m := &hub.Message{Channel: "a", Content: make([]byte, kib)}
		b.Publish(context.Background(), m, hub.PublishOptions{Retention: hundred})
		return weak.Make(m)
	}()
	if runtime.GC(); w.Value() == nil {
		t.Error("the message is not kept")
	}
	publish(t, b, "a", 1, hub.PublishOptions{})
	if runtime.GC(); w.Value() != nil {
		t.Error("the message is still kept")
	}
	audit(t, b)
}

func TestLevel(t *testing.T) {
	t.Parallel()
	const all = 1<<63 - 1
	for _, tt := range []struct {
		sizes []int64
		total int64
		want  int64
	}{
		{nil, 10, all},
		{[]int64{5, 5}, 10, all},
		{[]int64{5, 6}, 10, 5},
		{[]int64{1, 100}, 10, 9},
		{[]int64{100, 1, 100}, 11, 5},
		{[]int64{7, 7, 7}, 20, 6},
		{[]int64{3}, 0, 0},
		{[]int64{3}, -5, 0},
		{[]int64{0, 0}, 0, all},
	} {
		if got := level(slices.Clone(tt.sizes), tt.total); got != tt.want {
			t.Errorf("%v to %d: cut at %d, want %d", tt.sizes, tt.total, got, tt.want)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		sizes, total, sum := make([]int64, r.IntN(20)), int64(r.IntN(1000)), int64(0)
		for i := range sizes {
			sizes[i] = int64(r.IntN(100))
		}
		line := level(slices.Clone(sizes), total)
		for _, s := range sizes {
			sum += min(s, line)
		}
		if sum > total {
			t.Fatalf("%v cut at %d is more than %d", sizes, line, total)
		}
	}
}

func TestResize(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{})
		o := hub.PublishOptions{Retention: hundred}
		for i := range 100 {
			publish(t, b, name(i), 1300, o)
		}
		before := b.Stats().Bytes
		b.Resize(before / 2)
		if got := b.Stats(); got.Bytes > before/2 || got.Evicted == 0 {
			t.Errorf("%+v after the bound was halved from %d", got, before)
		}
		b.Resize(0) // the default
		evicted := b.Stats().Evicted
		for i := range 100 {
			publish(t, b, name(i), 1300, o)
		}
		if got := b.Stats().Evicted; got != evicted {
			t.Errorf("%d more rooms evicted below the default bound", got-evicted)
		}
		audit(t, b)
	})
}

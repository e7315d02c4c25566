package hub

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// TestSelectiveEventsAreKeptAlone: what waits for one member keeps nothing in memory of
// the messages to others that were broadcast with it. Not parallel, because it measures.
func TestSelectiveEventsAreKeptAlone(t *testing.T) {
	const batches, size = 100, 60_000
	h, _ := newTestHub(t, Settings{})
	c := connect(t, h, newWire())
	large := []byte(strings.Repeat("x", size))
	before := inUse()
	var kept [][]byte
	for range batches {
		b := newBatch([]Event{
			&Message{Channel: "r", Content: large, Direct: &Direct{To: Address{User: "ann"}}},
			&Message{Channel: "r", Content: []byte("1")},
		}, SlowDisconnect)
		kept = append(kept, b.form(c).keep(1))
		b.release()
	}
	if grown := int64(inUse()) - int64(before); grown > batches*size/10 {
		t.Errorf("%d small events keep %d bytes", batches, grown)
	}
	runtime.KeepAlive(kept)
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// An event that differs for one member is one write for all others, together with the rest
// of the batch.
func TestSelectiveBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		wires := make([]*wire, 4)
		conns := make([]*Conn, 4)
		for i := range wires {
			wires[i] = newWire()
			conns[i] = as(t, h, &tryWire{wire: wires[i]}, []string{"ann", "bob", "cid", "dan"}[i])
			subscribe(t, h, conns[i], "r", SubscribeOptions{Interests: []uint8{1, 1, 2, 1}[i]})
		}
		b := newBatch([]Event{
			&Message{Channel: "r", Content: []byte("a")},
			own{conns[1].ID()},
			news(1),
			&Message{Channel: "r", Content: []byte("b")},
		}, SlowDisconnect)
		for _, c := range conns {
			c.deliver(c.subs[0], &b)
		}
		synctest.Wait()
		b.release()
		for i, want := range [][]string{
			{"r@0 a", "own", "news", "r@0 b"},
			{"r@0 a", "for you", "news", "r@0 b"},
			{"r@0 a", "own", "r@0 b"},
			{"r@0 a", "own", "news", "r@0 b"},
		} {
			if got := wires[i].lines(); !slices.Equal(got, want) {
				t.Errorf("member %d got %q, want %q", i, got, want)
			}
			if n := wires[i].count(); n != 1 {
				t.Errorf("member %d got %d writes", i, n)
			}
		}
	})
}

// Bytes that a queue keeps do not change when the batch is over and its buffer is used again.
func TestKeptBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		slow, quick := newWire(), newWire()
		for _, w := range []*tryWire{{wire: slow, part: 4}, {wire: quick}} {
			subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{})
		}
		slow.stick(true)
		publish(t, h, "h", "a", "b", "c")
		expect(t, quick, "h@1 a", "h@2 b", "h@3 c")
		slow.stick(false)
		expect(t, slow, "h@1 a", "h@2 b", "h@3 c")
	})
}

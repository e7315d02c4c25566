package hub

import (
	"runtime"
	"strings"
	"testing"
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
		kept = append(kept, b.form(c).event(1))
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

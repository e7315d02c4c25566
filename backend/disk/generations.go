package disk

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
)

// generations count how many rooms were removed. Rooms are spread over 65,536 counters by their name,
// which bounds what is kept. Rejected: a counter for each removed room, which would be kept for
// ever; one counter for all, with which each removal is a gap for the clients of all empty rooms.
type generations struct {
	mu sync.RWMutex // a leaf
	// Guarded by mu.
	of map[uint16]uint64 // those that are not 0; nil: all are
}

// slotOf returns which counter a room has.
func slotOf(channel string) uint16 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(channel))
	return uint16(h.Sum64() >> 48)
}

// generationKey returns the key of a counter in metaBucket.
func generationKey(slot uint16) []byte {
	return binary.BigEndian.AppendUint16(metaGeneration[:len(metaGeneration):len(metaGeneration)], slot)
}

// Generation implements [memory.Durable].
func (s *Store) Generation(channel string) uint64 { return s.generations.get(channel) }

var _ memory.Durable = (*Store)(nil)

func (g *generations) get(channel string) uint64 {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.of[slotOf(channel)]
}

// next follows a transaction that has removed a room.
func (g *generations) next(channel string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of == nil {
		g.of = make(map[uint16]uint64)
	}
	g.of[slotOf(channel)]++
}

// read takes the counters of the file.
func (g *generations) read(tx *bbolt.Tx) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.of = make(map[uint16]uint64)
	c := tx.Bucket(metaBucket).Cursor()
	for key, value := c.Seek(metaGeneration); bytes.HasPrefix(key, metaGeneration) && len(key) == len(metaGeneration)+2; key, value = c.Next() {
		g.of[binary.BigEndian.Uint16(key[len(metaGeneration):])] = binary.BigEndian.Uint64(padded(value))
	}
}

// nextGeneration counts a room that the transaction removes.
func (w *work) nextGeneration(channel string) error {
	key := generationKey(slotOf(channel))
	return w.meta.Put(key, number(binary.BigEndian.Uint64(padded(w.meta.Get(key)))+1))
}

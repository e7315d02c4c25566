package checker

import (
	"hash/maphash"
	"sync"
)

// id stands for the payload id of a message; 0 for none.
type id uint32

const idShards = 64

// ids numbers the payload ids. The number is all that is kept for a delivery.
type ids struct {
	seed   maphash.Seed
	shards [idShards]idShard
}

type idShard struct {
	mu    sync.RWMutex
	known map[string]id
	names []string
}

func newIDs() *ids {
	t := &ids{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].known = make(map[string]id)
	}
	return t
}

// of returns the number of a payload id.
func (t *ids) of(name string) id {
	i := maphash.String(t.seed, name) % idShards
	s := &t.shards[i]
	s.mu.RLock()
	n, ok := s.known[name]
	s.mu.RUnlock()
	if ok {
		return n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.known[name]; ok {
		return n
	}
	s.names = append(s.names, name)
	n = id(len(s.names)*idShards) + id(i) // the first is idShards, so none is 0
	s.known[name] = n
	return n
}

// name returns the payload id of a number.
func (t *ids) name(n id) string {
	s := &t.shards[n%idShards]
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.names[n/idShards-1]
}

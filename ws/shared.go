package ws

import (
	"runtime"
	"sync"
)

// shared are values of some hundred kilobytes for goroutines that compute with them and never
// wait. At most as many are in use as goroutines can run at a time. A goroutine waits for one
// longer than others compute only if the processors are all busy. The collector frees
// the values that are not used.
type shared[T any] struct {
	slots chan struct{}
	pool  sync.Pool
}

func newShared[T any](create func() *T) *shared[T] {
	return &shared[T]{
		slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
		pool:  sync.Pool{New: func() any { return create() }},
	}
}

// take returns a value, which put must give back. Its user must not wait for anything.
func (s *shared[T]) take() *T {
	s.slots <- struct{}{}
	return s.pool.Get().(*T)
}

func (s *shared[T]) put(v *T) {
	s.pool.Put(v)
	<-s.slots
}

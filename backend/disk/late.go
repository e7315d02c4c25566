package disk

import "sync"

// late are operations for which nobody waits, in their order. Whoever adds one bounds their number.
type late struct {
	wake chan struct{} // gets a value when there is an operation; static

	mu sync.Mutex // a leaf
	// Guarded by mu.
	tasks []task
}

// later hands an operation to the writer, without waiting. Operations of callers that wait may
// overtake it.
func (s *Store) later(o operation) {
	s.late.mu.Lock()
	s.late.tasks = append(s.late.tasks, task{o, make(chan struct{})})
	s.late.mu.Unlock()
	s.late.notify()
}

// notify wakes the writer, without waiting.
func (l *late) notify() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take returns some of the operations and removes them.
func (l *late) take() []task {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.tasks), maxBatch)
	batch := l.tasks[:n:n]
	if l.tasks = l.tasks[n:]; len(l.tasks) == 0 {
		l.tasks = nil
		return batch
	}
	l.notify()
	return batch
}

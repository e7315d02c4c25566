package disk

import "sync"

// late are operations for which nobody waits, in their order. The code that adds operations bounds their number.
type late struct {
	wake chan struct{} // gets a value when there is an operation; static

	mu sync.Mutex // a leaf
	// Guarded by mu.
	tasks  []task
	failed []task // are tried again with the next sweep; at most one for each document of the file
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

// again keeps an operation that has failed for the next sweep.
func (l *late) again(o operation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = append(l.failed, task{o, make(chan struct{})})
}

// retry hands the operations that have failed to the writer.
func (l *late) retry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failed) > 0 {
		l.tasks, l.failed = append(l.tasks, l.failed...), nil
		l.notify()
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

package presence

import "sync"

// life lets an owner wait for all that runs on its behalf, and refuse what would
// begin after that.
type life struct {
	mu   sync.Mutex
	over bool
	wg   sync.WaitGroup
}

// begin reports whether something may begin; if so, end must follow.
func (l *life) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false
	}
	l.wg.Add(1)
	return true
}

func (l *life) end() { l.wg.Done() }

// finish refuses what comes now. It reports whether it was the first call.
func (l *life) finish() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := !l.over
	l.over = true
	return first
}

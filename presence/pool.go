package presence

import (
	"log/slog"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// workers is the greatest number of goroutines that call the store at the same time.
const workers = 16

// pool runs tasks on a few goroutines, which exist only while there are tasks.
type pool struct {
	life *life
	log  func() *slog.Logger

	// Guarded by mu.
	mu      sync.Mutex
	queue   []func()
	running int
}

// add queues a task. It never blocks. Once life is finished it does nothing.
func (p *pool) add(task func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running < workers && p.life.start() {
		p.running++
		go p.runTasks()
	}
	if p.running > 0 {
		p.queue = append(p.queue, task)
	}
}

func (p *pool) runTasks() {
	defer guard.Recover(p.log(), "presence")
	defer p.life.end()
	for task := p.next(); task != nil; task = p.next() {
		guard.Run(p.log(), "presence", task)
	}
}

// next returns the next task, or nil if the worker ends.
func (p *pool) next() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		p.queue = nil
		p.running--
		return nil
	}
	task := p.queue[0]
	p.queue[0] = nil
	p.queue = p.queue[1:]
	return task
}

// life counts what runs for an owner, so that the owner can wait for it and prevent that
// more starts afterwards.
type life struct {
	mu       sync.Mutex
	finished bool
	wg       sync.WaitGroup
}

// start returns true if something may start; then end must follow.
func (l *life) start() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.finished {
		return false
	}
	l.wg.Add(1)
	return true
}

func (l *life) end() { l.wg.Done() }

// finish makes start return false from now on. It returns true in the first call.
func (l *life) finish() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := !l.finished
	l.finished = true
	return first
}

package presence

import (
	"log/slog"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// workers bounds the goroutines that call the store, and thereby the calls that
// run at once.
const workers = 16

// pool runs tasks on few goroutines, which exist only while there are tasks.
type pool struct {
	life *life
	log  func() *slog.Logger

	// Guarded by mu.
	mu      sync.Mutex
	queue   []func()
	running int
}

// add queues a task. It never blocks. After the end of life it does nothing.
func (p *pool) add(task func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running < workers && p.life.begin() {
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
	for task := p.take(); task != nil; task = p.take() {
		guard.Run(p.log(), "presence", task)
	}
}

// take returns the next task, or nil when the worker is to end.
func (p *pool) take() func() {
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

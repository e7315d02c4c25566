// Package lane limits how many long computations for clients run at once, so that they
// leave processors for everything else.
package lane

import (
	"context"
	"runtime"
)

// Brief is the length up to which a text is processed without waiting for a turn. That
// takes some milliseconds at most.
const Brief = 4 << 10

// turns has one token for each computation that runs, for half of the processors. It is
// made when the process starts, because other tests could not use a channel that the bubble
// of one test made.
var turns = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))

// Run waits for a turn and calls work. work must not call Run and must not wait for
// anything: the caller may hold a lock, and a computation that has a turn would wait for
// that lock. The only error is that of ctx; work was not called then.
func Run(ctx context.Context, work func()) error {
	select {
	case turns <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-turns }()
	work()
	return nil
}

// Hold takes all turns until release is called. It is for tests.
func Hold() (release func()) {
	for range cap(turns) {
		turns <- struct{}{}
	}
	return func() {
		for range cap(turns) {
			<-turns
		}
	}
}

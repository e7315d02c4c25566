// Package lane has long computations for clients wait for each other, so that many of
// them at the same time leave processors to everybody else.
package lane

import (
	"context"
	"runtime"
)

// Brief is the length up to which a text is worked on at once: that takes some
// milliseconds at most.
const Brief = 4 << 10

// turns holds one token for each computation that runs. They take half of the processors
// at most. It is made when the process starts, because a channel that the bubble of one test
// makes can not be used in another.
var turns = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))

// Run calls work when it is its turn. Work must not call Run, and must wait for nothing: the
// caller may hold a lock, and whoever has a turn would wait for that lock. The only error
// is that of ctx, and then work was not called.
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

// Hold takes all turns, and release gives them back. It is for tests.
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

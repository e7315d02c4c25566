package policy

import (
	"runtime"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	// smallContent is the length up to which a content is cleaned at once: that takes
	// some milliseconds at most.
	smallContent = 4 << 10
	// briefSteps is how far a content is compared with a schema at once.
	briefSteps = maxSteps / 50
)

// lane is for checks that take long, a tenth of a second it may be. They take half of the
// processors at most, so that many clients who send such contents at the same time keep
// the server from nothing else: neither from other messages nor from other contents.
var lane = sync.OnceValue(func() chan struct{} {
	return make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))
})

// inLane makes a check when it is its turn, which it holds alone: it must not begin
// another one.
func inLane(check func() *protocol.Error) *protocol.Error {
	lane() <- struct{}{}
	defer func() { <-lane() }()
	return check()
}

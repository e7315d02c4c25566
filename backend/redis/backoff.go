package redis

import (
	"math/rand/v2"
	"time"
)

const (
	firstDelay = 20 * time.Millisecond
	maxDelay   = 2 * time.Second
)

// backoff is how long to wait before the next try: anything up to a limit that
// doubles, so that the nodes of a Redis that was away do not all come back at once.
type backoff struct{ n int }

func (b *backoff) next() time.Duration {
	limit := min(firstDelay<<min(b.n, 10), maxDelay)
	b.n++
	return rand.N(limit) + time.Millisecond
}

func (b *backoff) reset() { b.n = 0 }

package redis

import (
	"context"
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

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// turn lets one goroutine at a time do what may wait for Redis. It is not a mutex, because
// waiting for it ends with the context of the one that waits.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// do waits for the turn and calls f. If ctx ends first, it returns the error of ctx.
func (t turn) do(ctx context.Context, f func() error) error {
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-t }()
	return f()
}

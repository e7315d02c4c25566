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

// backoff computes how long to wait before the next try: a random time below a limit that
// doubles. So the nodes do not all reconnect to a Redis at the same moment.
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

// turn lets one goroutine at a time do what may wait for Redis. It is not a mutex: a goroutine
// stops waiting for it when its context ends.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// do waits for the turn and calls f. If ctx ends first, do returns the error of ctx.
func (t turn) do(ctx context.Context, f func() error) error {
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-t }()
	return f()
}

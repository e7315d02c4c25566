package redis

import "context"

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

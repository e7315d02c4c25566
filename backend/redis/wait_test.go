package redis

import (
	"context"
	"errors"
	"testing"
)

// A goroutine stops waiting for a turn when its context ends, and the next one gets the turn.
func TestTurn(t *testing.T) {
	t.Parallel()
	turn := newTurn()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	err := turn.do(t.Context(), func() error {
		return turn.do(over, func() error {
			t.Error("two goroutines have the turn")
			return nil
		})
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("waiting ended with %v", err)
	}
	if err := turn.do(t.Context(), func() error { return nil }); err != nil {
		t.Errorf("the turn was not given back: %v", err)
	}
}

package backendtest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func closeEnds(e *env) {
	r, ephemeral := e.attached(hundred), e.attached(hub.Retention{})
	r.publish(1)
	r.wait(1)
	if err := e.b.Close(); err != nil {
		e.t.Fatalf("close: %v", err)
	}
	for _, r := range []*room{r, ephemeral, e.room(hundred)} {
		for _, key := range []string{"", "key"} {
			if _, _, err := r.try(e.t.Context(), key); !errors.Is(err, hub.ErrClosed) {
				e.t.Errorf("publish after close: %v", err)
			}
		}
		if err := e.b.Attach(e.t.Context(), r.channel, r.keep); !errors.Is(err, hub.ErrClosed) {
			e.t.Errorf("attach after close: %v", err)
		}
		if _, err := e.b.History(e.t.Context(), r.channel, r.keep, hub.HistoryQuery{}); !errors.Is(err, hub.ErrClosed) {
			e.t.Errorf("history after close: %v", err)
		}
		e.b.Detach(r.channel)
	}
	if err := e.b.Close(); err != nil && !errors.Is(err, hub.ErrClosed) {
		e.t.Errorf("close again: %v", err)
	}
	if n := len(e.sink.messages(r.channel)); n != 1 {
		e.t.Errorf("%d messages were broadcast after close", n-1)
	}
}

// A publish during the close either succeeds or fails with an error.
func closeWhilePublishing(e *env) {
	r := e.attached(hundred)
	var published atomic.Int64
	enough := make(chan struct{})
	e.concurrently(5, func(i int) error {
		if i == 0 {
			select {
			case <-enough:
			case <-time.After(patience):
			}
			return e.b.Close()
		}
		for {
			_, _, err := r.try(e.t.Context(), "")
			switch {
			case errors.Is(err, hub.ErrClosed):
				return nil
			case err != nil:
				return fmt.Errorf("publish: %w", err)
			case published.Add(1) == 50:
				close(enough)
			}
		}
	})
}

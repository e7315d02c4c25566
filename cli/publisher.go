package cli

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// publishers bounds how many requests of a test are on their way.
const publishers = 64

// publish sends the messages at their times, and waits until all have arrived, or for
// answerLimit.
func (b *bench) publish(ctx context.Context, out *printer, c *crowd, r *result) {
	bar := newBar(out.notes, "messages published")
	total := max(1, int(b.rate*b.duration.Seconds()))
	step, began, filler := time.Duration(float64(time.Second)/b.rate), time.Now(), b.filler()
	outcome := make(chan error)
	counted := make(chan struct{})
	var count, sending errgroup.Group
	count.Go(func() error {
		defer close(counted)
		for err := range outcome {
			if err != nil {
				r.Rejected[err.Error()]++
			} else {
				r.Published++
			}
			bar.set(r.Published, total)
		}
		return nil
	})
	sending.SetLimit(publishers)
	for i := range total {
		due := began.Add(time.Duration(i) * step)
		if !sleep(ctx, time.Until(due)) {
			break
		}
		p := probe{Bench: c.id, Sent: due.Sub(c.begin), Fill: filler}
		if b.site.key == "" { // by the first client, whose frames keep their order
			outcome <- c.clients[0].conn.Send(command("message", map[string]any{"channel": b.channel, "content": p}))
			continue
		}
		sending.Go(func() error {
			_, err := b.site.call(ctx, http.MethodPost, path("channels", b.channel, "messages"), map[string]any{"content": p})
			outcome <- err
			return nil
		})
	}
	_ = sending.Wait() // none returns an error
	close(outcome)
	<-counted
	bar.end()
	for end := time.Now().Add(answerLimit); c.delivered() < r.Published*r.Connected && time.Now().Before(end); {
		if !sleep(ctx, 10*time.Millisecond) {
			return
		}
	}
}

// sleep waits, and returns false if the context ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

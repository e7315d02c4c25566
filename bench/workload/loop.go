package workload

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
)

// loop keeps messages in flight: a sender sends its next message when all copies of one
// have arrived.
type loop struct {
	flight  *client.Flight
	senders int
	each    int // messages of each sender that are in flight
	copies  int // of each message
	size    int
	send    func(ctx context.Context, sender int, stamp client.Stamp, text []byte) error
}

// run sends for a time, and returns how many it sent.
func (l *loop) run(ctx context.Context, d time.Duration) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	end := client.Now() + d
	type result struct {
		sent int
		err  error
	}
	results := make(chan result, l.senders)
	for sender := range l.senders {
		go func() {
			sent, err := l.fly(ctx, sender, end)
			results <- result{sent, err}
		}()
	}
	total, errs := 0, []error(nil)
	for range l.senders {
		r := <-results
		total += r.sent
		if r.err != nil {
			errs = append(errs, r.err)
			cancel()
		}
	}
	return total, errors.Join(errs...)
}

// fly sends the messages of one sender. It ends early if a message does not arrive
// everywhere: it is then counted as lost.
func (l *loop) fly(ctx context.Context, sender int, end time.Duration) (sent int, err error) {
	landed := l.flight.Landed[sender]
	for range l.each {
		landed <- struct{}{}
	}
	for client.Now() < end {
		select {
		case <-ctx.Done():
			return sent, ctx.Err()
		case <-time.After(drained):
			return sent, nil
		case <-landed:
		}
		l.flight.Start(uint32(sender), uint32(sent), l.copies)
		stamp := client.Stamp{Intended: client.Now(), Sender: uint32(sender), Seq: uint32(sent)}
		if err := l.send(ctx, sender, stamp, stamp.Text(l.size)); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, nil
}

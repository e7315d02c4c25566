package drills

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// post is a message on its way into one channel or several.
type post struct {
	channels []string
	id       string // also its idempotency key
	size     int    // of its content
}

// outcome is what became of a post in one channel.
type outcome struct {
	Epoch     string
	Offset    uint64
	Duplicate bool
}

// way is a way to publish. What it returns has as many outcomes as the post has
// channels. After an error nobody knows what became of the post.
type way interface {
	publish(post) ([]outcome, error)
	close()
}

// refusal is an error that another attempt does not change.
type refusal struct{ text string }

func (r refusal) Error() string { return r.text }

// publisher sends one message after the other and records what became of them. It
// tries again what was not acknowledged, which the key makes harmless.
type publisher struct {
	// Static.
	name   string
	way    way
	record *checker.Publisher
	pick   func(n int) []string // channels of the n-th message
	size   int                  // of a content
	pause  time.Duration        // between two messages

	acked   atomic.Int64
	retries atomic.Int64

	// Owned by the goroutine of run.
	done []string // channel and id of what was acknowledged
}

// run publishes until stop is closed.
func (p *publisher) run(stop <-chan struct{}) error {
	defer p.way.close()
	tick := time.NewTicker(max(p.pause, 1))
	defer tick.Stop()
	for n := 0; ; n++ {
		if err := p.publish(n, stop); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		select {
		case <-stop:
			return nil
		case <-tick.C:
		}
	}
}

// publish sends the n-th message until it is acknowledged.
func (p *publisher) publish(n int, stop <-chan struct{}) error {
	m := post{channels: p.pick(n), id: p.name + "-" + strconv.Itoa(n), size: p.size}
	for {
		for _, channel := range m.channels {
			p.record.Sent(channel, m.id)
		}
		got, err := p.way.publish(m)
		if err == nil {
			p.note(m, got)
			return nil
		}
		if r, no := errors.AsType[refusal](err); no {
			return r
		}
		p.retries.Add(1)
		select {
		case <-stop:
			return nil // what is not acknowledged is nobody's promise
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *publisher) note(m post, got []outcome) {
	for i, o := range got {
		p.record.Acked(m.channels[i], m.id, checker.Position{Epoch: o.Epoch, Offset: o.Offset})
		p.done = append(p.done, m.channels[i]+" "+m.id)
		p.acked.Add(1)
	}
}

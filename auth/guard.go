package auth

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// GuardOptions bound what an [Authorizer] costs. Zero fields have defaults.
type GuardOptions struct {
	// Timeout bounds a question, its wait for others included; 0 means 3 s.
	Timeout time.Duration
	// Concurrency is how many questions are asked at a time; 0 means 64.
	Concurrency int
	// Remember is how long an answer counts; 0 means 5 s, less than 0 not at all.
	Remember time.Duration
	// Answers is how many are remembered at most; 0 means 10,000.
	Answers int
}

func (o GuardOptions) withDefaults() GuardOptions {
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 64
	}
	if o.Remember == 0 {
		o.Remember = 5 * time.Second
	}
	if o.Answers <= 0 {
		o.Answers = 10_000
	}
	return o
}

// Guard is an [Authorizer] in front of another one, from which it keeps the load of
// many clients that ask the same, or all at once. It starts no goroutine.
type Guard struct {
	// Static after NewGuard.
	next    Authorizer
	options GuardOptions
	slots   chan struct{} // holds one for each question that is being asked

	// Guarded by mu, which is a leaf.
	mu      sync.Mutex
	answers map[Question]remembered
}

// remembered is a decision.
type remembered struct {
	answer Answer
	err    error
	until  time.Time
}

// NewGuard guards an authorizer.
func NewGuard(next Authorizer, o GuardOptions) *Guard {
	o = o.withDefaults()
	return &Guard{
		next: next, options: o,
		slots: make(chan struct{}, o.Concurrency), answers: make(map[Question]remembered),
	}
}

// Authorize answers from memory, or asks. Its errors are [ErrDenied] and
// [ErrUnauthorized], which may be wrapped, and [ErrUnavailable] for everything else,
// with the error that led to it.
func (g *Guard) Authorize(ctx context.Context, q Question) (Answer, error) {
	if r, ok := g.recall(q); ok {
		return r.answer, r.err
	}
	ctx, cancel := context.WithTimeout(ctx, g.options.Timeout)
	defer cancel()
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("%w: too many questions are open", ErrUnavailable)
	}
	answer, err := g.next.Authorize(ctx, q)
	switch {
	case !decided(err):
		return Answer{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case err != nil:
		answer = Answer{}
	}
	g.remember(q, remembered{answer: answer, err: err})
	return answer, err
}

// recall looks a decision up. One that has ended stays until room is needed.
func (g *Guard) recall(q Question) (r remembered, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok = g.answers[q]
	return r, ok && time.Now().Before(r.until)
}

func (g *Guard) remember(q Question, r remembered) {
	now := time.Now()
	r.until = now.Add(g.options.Remember)
	if e := r.answer.Expires; !e.IsZero() && e.Before(r.until) {
		r.until = e
	}
	if !now.Before(r.until) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, replaces := g.answers[q]; !replaces && len(g.answers) >= g.options.Answers {
		g.sweep(now)
	}
	g.answers[q] = r
}

// sweep forgets what has ended, and more if that leaves the memory over half full,
// so that it is not swept for each new question.
func (g *Guard) sweep(now time.Time) {
	for q, r := range g.answers {
		if !now.Before(r.until) {
			delete(g.answers, q)
		}
	}
	for q := range g.answers {
		if len(g.answers) <= g.options.Answers/2 {
			break
		}
		delete(g.answers, q)
	}
}

package auth

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
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
	answers map[digest]remembered
	forgets int // calls of Forget
}

// digest stands for a question, of which nothing is kept: it may be long, and secret.
type digest [sha256.Size]byte

func digestOf(q Question) digest {
	text := []byte{byte(q.Action)}
	for _, part := range []string{q.Channel, q.User, q.Handshake} {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	return sha256.Sum256(text)
}

// remembered is a decision.
type remembered struct {
	user   string // who asked
	answer Answer
	err    error
	until  time.Time
}

// about reports that it is about a user: who asked, or who it turned out to be.
func (r *remembered) about(user string) bool { return r.user == user || r.answer.User == user }

// NewGuard guards an authorizer.
func NewGuard(next Authorizer, o GuardOptions) *Guard {
	o = o.withDefaults()
	return &Guard{
		next: next, options: o,
		slots: make(chan struct{}, o.Concurrency), answers: make(map[digest]remembered),
	}
}

// Authorize answers from memory, or asks. Its errors are [ErrDenied] and
// [ErrUnauthorized], which may be wrapped, and [ErrUnavailable] for everything else,
// with the error that led to it.
func (g *Guard) Authorize(ctx context.Context, q Question) (Answer, error) {
	key := digestOf(q)
	r, ok, forgets := g.recall(key)
	if ok {
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
	asked := time.Now()
	answer, err := g.next.Authorize(ctx, q)
	answer.Asked = asked
	switch {
	case !decided(err):
		return Answer{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case err != nil:
		answer = Answer{}
	}
	g.remember(key, remembered{user: q.User, answer: answer, err: err}, forgets)
	return answer, err
}

// Forget has what was answered about a user be asked anew, also if the answer is on its
// way: something has happened to the user since.
func (g *Guard) Forget(user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forgets++
	for key, r := range g.answers {
		if r.about(user) {
			delete(g.answers, key)
		}
	}
}

// recall looks a decision up. One that has ended stays until room is needed. forgets is
// for remember.
func (g *Guard) recall(key digest) (r remembered, ok bool, forgets int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok = g.answers[key]
	return r, ok && time.Now().Before(r.until), g.forgets
}

// remember keeps a decision, unless something was forgotten since it was looked for.
func (g *Guard) remember(key digest, r remembered, forgets int) {
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
	if g.forgets != forgets {
		return
	}
	if _, replaces := g.answers[key]; !replaces && len(g.answers) >= g.options.Answers {
		g.sweep(now)
	}
	g.answers[key] = r
}

// sweep forgets what has ended, and more if that leaves the memory over half full,
// so that it is not swept for each new question.
func (g *Guard) sweep(now time.Time) {
	for key, r := range g.answers {
		if !now.Before(r.until) {
			delete(g.answers, key)
		}
	}
	for key := range g.answers {
		if len(g.answers) <= g.options.Answers/2 {
			break
		}
		delete(g.answers, key)
	}
}

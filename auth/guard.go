package auth

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"
)

// The defaults of [GuardOptions].
const (
	DefaultTimeout     = 3 * time.Second
	DefaultConcurrency = 64
	DefaultRemember    = 5 * time.Second
)

// GuardOptions limit what an [Authorizer] is asked. Zero fields have defaults.
type GuardOptions struct {
	// Timeout is the time for one question, including the wait for a turn; 0 means
	// [DefaultTimeout]. A question that is asked again after [Guard.Forget] has this time
	// again.
	Timeout time.Duration
	// Concurrency is the number of questions that are asked at once; 0 means
	// [DefaultConcurrency]. One address may have a quarter of them, so that the others need
	// not wait for it.
	Concurrency int
	// Remember is how long an answer is remembered; 0 means [DefaultRemember], a negative
	// time not at all.
	Remember time.Duration
	// Answers is the greatest number of remembered answers; 0 means 10,000.
	Answers int
}

func (o GuardOptions) withDefaults() GuardOptions {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Concurrency <= 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.Remember == 0 {
		o.Remember = DefaultRemember
	}
	if o.Answers <= 0 {
		o.Answers = 10_000
	}
	return o
}

// Guard is an [Authorizer] in front of another one. It remembers answers and limits how
// many questions are asked at once, so that many clients can not overload the app. It
// starts no goroutine.
type Guard struct {
	// Static after NewGuard.
	next    Authorizer
	options GuardOptions
	turns   *turns // for questions

	// Guarded by mu, which is a leaf.
	mu      sync.Mutex
	answers map[digest]remembered
	open    map[*question]struct{} // being asked
}

// digest identifies a question. The question itself is not kept: it may be long, and
// secret.
type digest [sha256.Size]byte

func digestOf(q Question) digest {
	text := []byte{byte(q.Action)}
	for _, part := range []string{q.Channel, q.User, q.Handshake} {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	return sha256.Sum256(text)
}

// remembered is a decision that counts for a while.
type remembered struct {
	user   string // who asked
	answer Answer
	err    error
	until  time.Time
}

// about reports whether the decision is about a user: the user of the question, or the one
// that the answer names.
func (r *remembered) about(user string) bool { return r.user == user || r.answer.User == user }

// NewGuard returns a guard in front of next.
func NewGuard(next Authorizer, o GuardOptions) *Guard {
	o = o.withDefaults()
	return &Guard{
		next: next, options: o, turns: newTurns(o.Concurrency),
		answers: make(map[digest]remembered), open: make(map[*question]struct{}),
	}
}

// Authorize returns a remembered answer, or asks. Its errors are [ErrDenied] and
// [ErrUnauthorized], which may be wrapped. Every other error of the [Authorizer] is wrapped
// in [ErrUnavailable].
func (g *Guard) Authorize(ctx context.Context, q Question) (Answer, error) {
	key := digestOf(q)
	if r, ok := g.recall(key); ok {
		return r.answer, r.err
	}
	first, cancel := context.WithTimeout(ctx, g.options.Timeout)
	defer cancel()
	if !g.turns.take(first, q.From) {
		return Answer{}, fmt.Errorf("%w: too many questions are open", ErrUnavailable)
	}
	defer g.turns.give(q.From)
	answer, again, err := g.ask(first, key, q)
	for n := 1; again; n++ {
		if n == maxAsks {
			return Answer{}, fmt.Errorf("%w: the user was kicked or revoked during each of the attempts to ask", ErrUnavailable)
		}
		answer, again, err = g.askAgain(ctx, key, q)
	}
	return answer, err
}

// maxAsks is how often one question is asked at most. It is asked again if its user was
// forgotten meanwhile.
const maxAsks = 3

// askAgain asks once more, with the whole timeout.
func (g *Guard) askAgain(ctx context.Context, key digest, q Question) (Answer, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, g.options.Timeout)
	defer cancel()
	return g.ask(ctx, key, q)
}

// ask asks once. It reports again if the answer is a yes that does not count: its user was
// forgotten since the question was asked.
func (g *Guard) ask(ctx context.Context, key digest, q Question) (answer Answer, again bool, err error) {
	o := g.start()
	defer g.end(o)
	asked := time.Now()
	answer, err = g.next.Authorize(ctx, q)
	answer.Asked = asked
	switch {
	case !decided(err):
		return Answer{}, false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case err != nil:
		answer = Answer{}
	}
	again = !g.remember(key, remembered{user: q.User, answer: answer, err: err}, o)
	return answer, again, err
}

// question is a question that is being asked. The lock of its guard guards it.
type question struct {
	forgotten []string // the users that were forgotten since it was asked
	all       bool     // so many were forgotten that they are not listed any more
}

// maxForgotten is the greatest number of forgotten users that one question lists.
const maxForgotten = 1000

func (o *question) forget(user string) {
	if len(o.forgotten) == maxForgotten {
		o.forgotten, o.all = nil, true
	}
	if !o.all {
		o.forgotten = append(o.forgotten, user)
	}
}

// outdates reports whether a decision is about a user that was forgotten meanwhile.
func (o *question) outdates(r *remembered) bool {
	return o.all || slices.ContainsFunc(o.forgotten, r.about)
}

func (g *Guard) start() *question {
	g.mu.Lock()
	defer g.mu.Unlock()
	o := new(question)
	g.open[o] = struct{}{}
	return o
}

func (g *Guard) end(o *question) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, o)
}

// Forget drops remembered answers about a user, because something has happened to the user.
// A question that is being asked is asked again if its answer is about the user.
func (g *Guard) Forget(user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for o := range g.open {
		o.forget(user)
	}
	for key, r := range g.answers {
		if r.about(user) {
			delete(g.answers, key)
		}
	}
}

// recall returns a remembered decision. One that has expired stays in the map until sweep
// needs the space.
func (g *Guard) recall(key digest) (r remembered, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok = g.answers[key]
	return r, ok && time.Now().Before(r.until)
}

// remember keeps a decision, unless any user was forgotten since the question was asked. It
// returns false if the decision is a yes about such a user. An outdated no does no harm.
func (g *Guard) remember(key digest, r remembered, o *question) bool {
	now := time.Now()
	r.until = now.Add(g.options.Remember)
	if e := r.answer.Expires; !e.IsZero() && e.Before(r.until) {
		r.until = e
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case r.err == nil && o.outdates(&r):
		return false
	case o.all || len(o.forgotten) > 0 || !now.Before(r.until):
		return true
	}
	if _, replaces := g.answers[key]; !replaces && len(g.answers) >= g.options.Answers {
		g.sweep(now)
	}
	g.answers[key] = r
	return true
}

// sweep drops the decisions that have expired. If more than half of the memory is still in
// use, it drops others too, so that not every new question causes a sweep.
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

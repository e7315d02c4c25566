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

// GuardOptions bound what an [Authorizer] costs. Zero fields have defaults.
type GuardOptions struct {
	// Timeout bounds a question, its wait for others included; 0 means 3 s. A question
	// that is asked again, see [Guard.Forget], has it anew.
	Timeout time.Duration
	// Concurrency is how many questions are asked at a time; 0 means 64. One address
	// has a quarter of them at most, so that the others do not wait for it.
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
	turns   *turns // for questions

	// Guarded by mu, which is a leaf.
	mu      sync.Mutex
	answers map[digest]remembered
	open    map[*question]struct{} // that are being asked
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
		next: next, options: o, turns: newTurns(o.Concurrency),
		answers: make(map[digest]remembered), open: make(map[*question]struct{}),
	}
}

// Authorize answers from memory, or asks. Its errors are [ErrDenied] and
// [ErrUnauthorized], which may be wrapped, and [ErrUnavailable] for everything else,
// with the error that led to it.
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
			return Answer{}, fmt.Errorf("%w: the user is sent away again and again", ErrUnavailable)
		}
		answer, again, err = g.askAgain(ctx, key, q)
	}
	return answer, err
}

// maxAsks is how often a question is asked at most whose user is sent away meanwhile.
const maxAsks = 3

// askAgain gives a question its whole time once more.
func (g *Guard) askAgain(ctx context.Context, key digest, q Question) (Answer, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, g.options.Timeout)
	defer cancel()
	return g.ask(ctx, key, q)
}

// ask asks once. again means that the answer is a yes from before its user was
// forgotten, and does not count.
func (g *Guard) ask(ctx context.Context, key digest, q Question) (answer Answer, again bool, err error) {
	o := g.begin()
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

// question is one that is being asked. The lock of its guard guards it.
type question struct {
	forgotten []string // the users that were forgotten since it was asked
	all       bool     // so many were forgotten that they are not listed any more
}

// maxForgotten bounds the list of a question.
const maxForgotten = 1000

func (o *question) forget(user string) {
	if len(o.forgotten) == maxForgotten {
		o.forgotten, o.all = nil, true
	}
	if !o.all {
		o.forgotten = append(o.forgotten, user)
	}
}

// outdates reports that a decision is about somebody who was forgotten meanwhile.
func (o *question) outdates(r *remembered) bool {
	return o.all || slices.ContainsFunc(o.forgotten, r.about)
}

func (g *Guard) begin() *question {
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

// Forget has what was answered about a user be asked anew, also if the answer is on its
// way: something has happened to the user since.
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

// recall looks a decision up. One that has ended stays until room is needed.
func (g *Guard) recall(key digest) (r remembered, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok = g.answers[key]
	return r, ok && time.Now().Before(r.until)
}

// remember keeps a decision, unless anybody was forgotten since the question was asked.
// False: it is a yes about somebody who was. A no does no harm, whoever it is about.
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

package session

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// How long and how many answers about messages with a key are kept.
const (
	answersFor  = 10 * time.Minute
	mostAnswers = 100_000
)

// appAnswers are what the app has answered about messages with an idempotency key, on this node.
// Without them every repeat would be another question to the app, which may have stored the
// message already. The key goes to the app as well, because another node may ask it again.
type appAnswers struct {
	// Guarded by mu, which is a leaf.
	mu   sync.Mutex
	all  map[answerKey]*answer
	kept list.List // *answer: those that are known, oldest first
}

type answerKey struct {
	channel, key string
	direct       bool
}

// answer is the result of a message with a key.
type answer struct {
	// Static.
	key    answerKey
	digest uint32
	known  chan struct{} // closed when the result is known

	// Written before known is closed, static afterwards.
	published hub.Published
	err       *protocol.Error

	until time.Time // guarded by the lock of the answers
}

// once calls ask for the first message with a key, and returns its result for the repeats. A
// result that is an error frees the key for the next message.
func (t *appAnswers) once(ctx context.Context, key answerKey, digest uint32, ask func() (hub.Published, *protocol.Error)) (hub.Published, *protocol.Error) {
	a, first := t.reserve(key, digest, time.Now())
	if !first {
		return a.repeat(ctx, digest)
	}
	// Set before a panic of ask, so that nobody waits for ever.
	a.err = protocol.Errorf(protocol.Internal, "%s", protocol.Internal.Info().Title)
	defer func() { t.settle(a, time.Now()) }()
	a.published, a.err = ask()
	return a.published, a.err
}

// reserve returns the answer for a key. first says that the caller has to find it out.
func (t *appAnswers) reserve(key answerKey, digest uint32, now time.Time) (a *answer, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(now)
	if a = t.all[key]; a != nil {
		return a, false
	}
	if t.all == nil {
		t.all = make(map[answerKey]*answer)
	}
	a = &answer{key: key, digest: digest, known: make(chan struct{})}
	t.all[key] = a
	return a, true
}

// drop drops the answers that are too old, and the oldest if there are too many. The caller
// holds mu.
func (t *appAnswers) drop(now time.Time) {
	for at := t.kept.Front(); at != nil; at = t.kept.Front() {
		a := at.Value.(*answer)
		if now.Before(a.until) && t.kept.Len() <= mostAnswers {
			return
		}
		t.kept.Remove(at)
		delete(t.all, a.key)
	}
}

// settle makes the result of an answer known. It is kept unless it is an error.
func (t *appAnswers) settle(a *answer, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.err != nil {
		delete(t.all, a.key)
	} else {
		a.until = now.Add(answersFor)
		t.kept.PushBack(a)
	}
	close(a.known)
}

// repeat waits for the result, and returns it for a repeat.
func (a *answer) repeat(ctx context.Context, digest uint32) (hub.Published, *protocol.Error) {
	if a.digest != digest {
		return hub.Published{}, protocol.AsError(hub.ErrKeyReused)
	}
	select {
	case <-a.known:
	case <-ctx.Done():
		return hub.Published{}, protocol.AsError(ctx.Err())
	}
	if a.err != nil {
		return hub.Published{}, a.err
	}
	done := a.published
	done.Duplicate = true
	return done, nil
}

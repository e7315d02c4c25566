package backendtest

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

// outboxEnv is what one test of an outbox works with.
type outboxEnv struct {
	*testing.T
	notify.Outbox // of the first node
	nodes         []notify.Outbox
	fences        map[notify.Queue]uint64
}

// testSink is the sink of tests that need one.
const testSink = "test"

// longLease is the lease of claims that do not end within a test.
const longLease = time.Minute

func (e *outboxEnv) chooseAll(b notify.Bounds) {
	for _, o := range e.nodes {
		o.Choose(notify.NewChoice(notify.Types, nil), b)
	}
}

// unused returns a name that no other test has.
func unused(prefix string) string { return prefix + strings.ToLower(rand.Text()) }

// claim claims a queue for the test's sender, or for another owner.
func (e *outboxEnv) claim(q notify.Queue, sink, owner string) uint64 {
	e.Helper()
	c, err := q.Claim(e.Context(), notify.Claim{Sink: sink, Owner: owner, Lease: longLease})
	if err != nil {
		e.Fatalf("claim: %v", err)
	}
	return c.Fence
}

// claimAll claims all queues.
func (e *outboxEnv) claimAll(sink string) {
	e.Helper()
	for _, q := range e.Queues() {
		if e.fences[q] = e.claim(q, sink, "owner of "+sink); e.fences[q] == 0 {
			e.Fatal("another sender has the queue of a new outbox")
		}
	}
}

func (e *outboxEnv) next(q notify.Queue, sink string, fence uint64, events int) notify.Batch {
	e.Helper()
	b, err := q.Next(e.Context(), sink, fence, events, 1<<20)
	if err != nil {
		e.Fatalf("next: %v", err)
	}
	return b
}

func (e *outboxEnv) done(q notify.Queue, sink string, fence uint64, o notify.Outcome) {
	e.Helper()
	if err := q.Done(e.Context(), sink, fence, o); err != nil {
		e.Fatalf("done: %v", err)
	}
}

// receive takes events from all queues until there are as many as wanted.
func (e *outboxEnv) receive(sink string, want int) (all []notify.Event) {
	e.Helper()
	for until := time.Now().Add(patience); len(all) < want; time.Sleep(time.Millisecond) {
		for _, q := range e.Queues() {
			if b := e.next(q, sink, e.fences[q], 100); len(b.Events) > 0 {
				all = append(all, b.Events...)
				e.done(q, sink, e.fences[q], notify.Outcome{})
			}
		}
		if time.Now().After(until) {
			e.Fatalf("%d events arrived, not %d: %v", len(all), want, all)
		}
	}
	return all
}

// waiting waits until a queue holds events, and returns it. All events of the test are in one.
func (e *outboxEnv) waiting(sink string, want int) notify.Queue {
	e.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Millisecond) {
		for _, q := range e.Queues() {
			c, err := q.Claim(e.Context(), notify.Claim{Sink: sink, Owner: "owner of " + sink, Lease: longLease})
			if err == nil && c.Events >= want {
				return q
			}
		}
	}
	e.Fatalf("there are never %d events in one queue", want)
	return nil
}

func (e *outboxEnv) wantFenced(err error) {
	e.Helper()
	if !errors.Is(err, notify.ErrFenced) {
		e.Errorf("a sender without a claim gets %v", err)
	}
}

// kinds returns type and name of each event.
func kinds(all []notify.Event) string {
	var words []string
	for _, e := range all {
		words = append(words, string(e.Type)+" "+e.Channel+e.Connection)
	}
	return strings.Join(words, ", ")
}

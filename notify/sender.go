package notify

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// sender sends the events of one queue to one sink. Its goroutine runs from applySink to
// senders.stop.
type sender struct {
	// Static.
	service *Service
	all     *senders
	name    string // of the sink
	queue   Queue
	wake    <-chan struct{}
	applied chan struct{} // gets a value when the sink has new options

	reopening atomic.Bool             // the next claim reopens the sink
	claimed   atomic.Pointer[Claimed] // what the latest claim returned; nil before the first

	// Owned by the goroutine.
	fence    uint64    // of the claim; 0: none
	renewAt  time.Time // when the claim must be renewed
	heldTill time.Time // when an event that is held back is to be sent; zero: there is none
}

// reopen makes the sender claim at once, and then also if the app wanted no more events.
func (s *sender) reopen() {
	s.reopening.Store(true)
	select {
	case s.applied <- struct{}{}:
	default:
	}
}

func (s *sender) runGuarded() {
	guard.Loop(s.all.ctx.Done(), s.service.log.Load(), "the delivery of events", s.run)
}

// run claims the queue and sends what is in it, until the sender is stopped.
func (s *sender) run() {
	defer s.release()
	for pauses := s.pauses(); s.all.ctx.Err() == nil; {
		more, err := s.step()
		switch {
		case errors.Is(err, ErrFenced):
			s.fence, s.renewAt = 0, time.Time{}
			s.rest(pauses.next())
			continue
		case err != nil:
			// The store can not be reached. Its own part logs that.
			s.rest(pauses.next())
			continue
		case !more:
			until := s.renewAt
			if !s.heldTill.IsZero() && s.heldTill.Before(until) {
				until = s.heldTill
			}
			s.wait(time.Until(until))
		}
		pauses.reset()
	}
}

// step claims the queue if that is due, and delivers one batch. It returns false if there is
// nothing to do.
func (s *sender) step() (more bool, err error) {
	if err := s.claim(); err != nil {
		return false, err
	}
	if s.fence == 0 {
		return false, nil
	}
	sink := s.all.sink.Load()
	b, err := s.queue.Next(s.all.ctx, s.name, s.fence, sink.Events, maxBatchBytes)
	if err != nil {
		return false, err
	}
	s.heldTill = sink.dueIn(b)
	if len(b.Events) == 0 && (s.heldTill.IsZero() || time.Now().Before(s.heldTill)) {
		return false, nil
	}
	outcome, err := s.deliver(b)
	if err != nil {
		return false, err
	}
	if err := s.queue.Done(s.all.ctx, s.name, s.fence, outcome); err != nil {
		return false, err
	}
	if outcome.Refused {
		s.fence = 0
	}
	if n := len(b.Events); n > 0 && n < sink.Events {
		s.rest(sink.Wait)
	}
	return true, nil
}

// claim claims the queue, or renews that, if it is time for that.
func (s *sender) claim() error {
	now := time.Now()
	if now.Before(s.renewAt) && !s.reopening.Load() {
		return nil
	}
	reopen := s.reopening.Swap(false)
	if reopen { // the new options are seen
		select {
		case <-s.applied:
		default:
		}
	}
	c, err := s.queue.Claim(s.all.ctx, Claim{Sink: s.name, Owner: s.service.owner, Lease: s.service.o.Lease, Reopen: reopen})
	if err != nil {
		if reopen {
			s.reopening.Store(true)
		}
		return err
	}
	s.claimed.Store(&c)
	s.fence = c.Fence
	third := s.service.o.Lease / 3
	s.renewAt = now.Add(third*2/3 + rand.N(third/3+1))
	return nil
}

// wait waits for some time, for something to send, or for new options. When something comes up,
// it waits a little longer, so that more comes into the batch.
func (s *sender) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.wake:
		s.rest(s.all.sink.Load().Wait)
	case <-s.applied:
	case <-timer.C:
	case <-s.all.ctx.Done():
	}
}

// rest waits for some time. It returns false if the sender is stopped.
func (s *sender) rest(d time.Duration) bool {
	if d <= 0 {
		return s.all.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.all.ctx.Done():
		return false
	}
}

// releaseTime bounds the end of a claim.
const releaseTime = time.Second

// release ends the claim, so that another node goes on at once.
func (s *sender) release() {
	if s.fence == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.all.ctx), releaseTime)
	defer cancel()
	_ = s.queue.Release(ctx, s.name, s.fence) // otherwise the claim ends by itself
	s.fence = 0
}

// pauses are the pauses between attempts. They grow, and they are spread.
type pauses struct {
	first, most, last time.Duration
}

func (s *sender) pauses() *pauses {
	return &pauses{first: s.service.o.Pause, most: s.service.o.MaxPause}
}

func (p *pauses) reset() { p.last = 0 }

// next returns the next pause: between a half and the whole of twice the last one.
func (p *pauses) next() time.Duration {
	p.last = min(max(2*p.last, p.first), p.most)
	return p.last/2 + rand.N(p.last/2+1)
}

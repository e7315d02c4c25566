package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// deliver sends a batch until the app has it, refuses it for good or takes too long. Its error
// means that the sender has lost its claim or is stopped.
func (s *sender) deliver(b Batch) (Outcome, error) {
	sink := s.all.sink.Load()
	wanted := s.pick(b)
	var held []Event
	if wanted.Events, held = sink.settle(wanted); len(wanted.Events) == 0 {
		return Outcome{Held: held}, nil
	}
	body := sink.Form(wanted)
	if len(body) == 0 {
		return Outcome{Held: held}, nil
	}
	failures, formed := failures{sender: s, batch: b}, time.Now().Add(-b.Age)
	for pauses := s.pauses(); ; {
		sink = s.all.sink.Load() // a reload may have replaced it
		status, err := s.attempt(sink, b.ID, body)
		switch {
		case s.all.ctx.Err() != nil:
			return Outcome{}, s.all.ctx.Err()
		case errors.Is(err, ErrFenced):
			return Outcome{}, err
		case err == nil && status/100 == 2:
			failures.end()
			s.all.counts.countDelivered(wanted)
			return Outcome{Held: held}, nil
		case err == nil && status == http.StatusGone:
			s.service.log.Load().Warn("the app answers 410 to 'notify' and gets no more events; a reload sends them again", "sink", s.name)
			return Outcome{Refused: true}, nil
		}
		s.all.counts.failed.Add(1)
		failures.note(status, err)
		if time.Since(formed) > sink.Retry {
			lost := lostOf(wanted)
			s.service.log.Load().Error("the app did not accept events in time, and they are lost", "sink", s.name, "events", lost)
			return Outcome{Lost: lost, Held: held}, nil
		}
		if err := s.pause(pauses.next()); err != nil {
			return Outcome{}, err
		}
	}
}

// pick returns the batch with only those events that the sink wants.
func (s *sender) pick(b Batch) Batch {
	choice, all := s.all.sink.Load().Choice, b.Events
	b.Events = nil
	for _, e := range all {
		if choice.wantsEvent(&e) {
			b.Events = append(b.Events, e)
		}
	}
	return b
}

// lostOf returns how many events are lost with a batch.
func lostOf(b Batch) (n int) {
	for _, e := range b.Events {
		if e.Type == Lost {
			n += e.Count
		} else {
			n++
		}
	}
	return n
}

// pause waits before the next attempt and keeps the claim meanwhile. New options end it early.
func (s *sender) pause(d time.Duration) error {
	for until := time.Now().Add(d); ; {
		if err := s.claimStill(); err != nil {
			return err
		}
		timer := time.NewTimer(max(min(time.Until(until), time.Until(s.renewAt)), 0))
		select {
		case <-timer.C:
			if !time.Now().Before(until) {
				return nil
			}
		case <-s.applied:
			timer.Stop()
			return nil
		case <-s.all.ctx.Done():
			timer.Stop()
			return s.all.ctx.Err()
		}
	}
}

// claimStill renews the claim if it is time for that. Its error means that another sender has
// the queue. That the store can not be reached is no error: then nobody else can claim either.
func (s *sender) claimStill() error {
	fence := s.fence
	if err := s.claim(); err != nil {
		s.renewAt = time.Now().Add(s.service.o.Lease / 10)
		return nil
	}
	if s.fence != fence {
		return ErrFenced
	}
	return nil
}

// attempt sends a request and keeps the claim while it is under way.
func (s *sender) attempt(sink *Sink, id string, body []byte) (status int, err error) {
	ctx, cancel := context.WithTimeout(s.all.ctx, s.service.o.Timeout)
	defer cancel()
	s.all.counts.requests.Add(1)
	h, done := sink.Sign(id, body, time.Now()), make(chan struct{})
	go func() {
		defer close(done)
		err = errors.New("internal error") // unless Post returns
		defer guard.Recover(s.service.log.Load(), "a request to the app")
		status, err = sink.Post(ctx, h, body)
	}()
	for {
		timer := time.NewTimer(max(time.Until(s.renewAt), 0))
		select {
		case <-done:
			timer.Stop()
			return status, err
		case <-timer.C:
			if lost := s.claimStill(); lost != nil {
				cancel()
				<-done
				return 0, lost
			}
		}
	}
}

// failures logs that a batch fails: at once, then every minute, and when it is over.
type failures struct {
	*sender
	batch  Batch
	since  time.Time
	logged time.Time
	count  int
}

func (f *failures) note(status int, err error) {
	now := time.Now()
	if f.count++; f.count == 1 {
		f.since = now
	} else if now.Sub(f.logged) < time.Minute {
		return
	}
	f.logged = now
	if err == nil {
		err = fmt.Errorf("status %d", status)
	}
	f.service.log.Load().Warn("the app does not accept events; they are kept and sent again", "sink", f.name, "error", err,
		"events", len(f.batch.Events), "attempts", f.count)
}

func (f *failures) end() {
	if f.count > 0 {
		f.service.log.Load().Info("the app accepts events again", "sink", f.name, "after", time.Since(f.since).Round(time.Millisecond), "attempts", f.count+1)
	}
}

package disk

import (
	"context"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// maxQueue is how many operations may wait. The callers of more wait for a place.
	maxQueue = 4096
	// maxBatch is how many operations one transaction has.
	maxBatch = 1024
)

// operation is a change of the store. One goroutine, the writer, calls the methods.
type operation interface {
	// write makes the change in a transaction. An error fails the whole transaction, with
	// the operations of other callers.
	write(w *work) error
	// finish is called when the transaction is committed, or has failed with err. Then the
	// operation has no effect.
	finish(err error)
}

// task is an operation with its caller.
type task struct {
	operation
	done chan struct{} // closed after finish
}

// do hands an operation to the writer and waits until it is finished. An error says that finish
// was not called, or that the context ended before.
func (s *Store) do(ctx context.Context, o operation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := task{o, make(chan struct{})}
	select {
	case <-s.closing:
		return hub.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case s.queue <- t:
	}
	select {
	case <-t.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stopped:
		select {
		case <-t.done:
			return nil
		default:
			return hub.ErrClosed
		}
	}
}

// write is the loop of the writer. While a transaction is being committed, others wait in the
// queue, and share the next one. The steps of a sweep come between them.
func (s *Store) write() {
	tick := time.NewTicker(s.o.sweep)
	defer tick.Stop()
	var sweep *sweeping
	ready := make(chan struct{})
	close(ready)
	for {
		var step <-chan struct{}
		if sweep != nil {
			step = ready
		}
		select {
		case <-s.closing:
			return
		case t := <-s.queue:
			s.commit(s.gather(t))
		case <-s.late.wake:
			if batch := s.late.take(); len(batch) > 0 || s.box.Load() != nil && s.box.Load().Waits() {
				s.commit(batch)
			}
		case now := <-tick.C:
			if b := s.broker.Load(); b != nil && sweep == nil {
				sweep = &sweeping{b: b, now: now}
			}
			s.late.retry()
			if s.inPlace() {
				s.compactIfWorth(now)
			}
		case c := <-s.filled:
			s.finishCompaction(c)
		case <-step:
			s.commit([]task{{sweep, make(chan struct{})}})
			if !sweep.more || sweep.err != nil {
				sweep = nil
			}
		}
	}
}

// inPlace reports whether the file is still in its folder. A file that was removed or replaced can be
// written as before, but is gone when the process ends: the log says so until the operator acts.
func (s *Store) inPlace() bool {
	if s.file.inPlace() {
		return true
	}
	s.o.Logger.Error("the file of the store was removed or replaced while Caddy works; what is stored is lost when Caddy ends. Never do that to a store in use; restart Caddy to go on with what is in the folder", "file", s.file.path)
	return false
}

// gather returns an operation together with those that wait, and those that come within the time
// of Options.Sync.
func (s *Store) gather(first task) []task {
	batch := []task{first}
	for len(batch) < maxBatch {
		select {
		case t := <-s.queue:
			batch = append(batch, t)
			continue
		default:
		}
		if s.o.Sync <= 0 {
			return batch
		}
		return s.linger(batch)
	}
	return batch
}

// linger waits for more operations.
func (s *Store) linger(batch []task) []task {
	over := time.NewTimer(s.o.Sync)
	defer over.Stop()
	for len(batch) < maxBatch {
		select {
		case t := <-s.queue:
			batch = append(batch, t)
		case <-over.C:
			return batch
		case <-s.closing:
			return batch
		}
	}
	return batch
}

// commit makes the changes of a batch durable in one transaction, and finishes the operations.
func (s *Store) commit(batch []task) {
	err := unavailable(errDamaged) // if there is a panic
	defer func() {
		for _, t := range batch {
			guard.Run(s.o.Logger, "the end of a change in the store", func() { t.finish(err) })
			close(t.done)
		}
	}()
	defer func() { // also if there is a panic
		if box := s.box.Load(); box != nil {
			box.Settle(err == nil)
		}
	}()
	err = s.transact(batch)
	if s.failing != (err != nil) {
		s.failing = err != nil
		s.reportState(err)
	}
}

// reportState logs that the store fails, or works again.
func (s *Store) reportState(err error) {
	if err != nil {
		s.o.Logger.Error("the store can not write; what should be stored is rejected until it can", "file", s.file.path, "error", err)
		return
	}
	s.o.Logger.Info("the store can write again", "file", s.file.path)
}

// transact is commit without the end of the operations.
func (s *Store) transact(batch []task) error {
	if !s.file.isOpen() {
		if _, err := s.file.reopen(); err != nil {
			return unavailable(err)
		}
	}
	id := 0
	var changed []change
	note := &changed
	if !s.changes.on() {
		note = nil
	}
	// Also if the commit failed: it may have taken place.
	defer func() { s.changes.add(changed) }()
	err := s.file.update(func(tx *bbolt.Tx) error {
		id = tx.ID()
		w := newWork(tx, note)
		for _, t := range batch {
			if err := t.write(w); err != nil {
				return err
			}
		}
		if err := w.flush(); err != nil {
			return err
		}
		return s.collect(w)
	})
	if err == nil {
		return nil
	}
	// The commit may have reached the file before it failed.
	latest, failed := s.file.reopen()
	if failed == nil && id > 0 && latest >= id {
		return nil
	}
	return unavailable(err)
}

// unavailable returns an error of the file as one that the caller may retry.
func unavailable(err error) error { return fmt.Errorf("%w: %w", hub.ErrUnavailable, err) }

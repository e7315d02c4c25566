package disk

import (
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// switchKeys is how many keys the writer copies itself, at the end of a compaction. Nobody
	// can store anything meanwhile.
	switchKeys = 500
	// catchUps bounds how often a compaction copies what has changed since, before it gives
	// up because publishers are faster.
	catchUps = 50
	// compactAgain is how long a compaction that failed is not tried again.
	compactAgain = 10 * time.Minute
	// spare is how much space a compaction leaves on the disk for publishers.
	spare = 64 << 20
)

// changes are the keys that were changed since a compaction has copied them.
type changes struct {
	mu sync.Mutex
	// Guarded by mu.
	keys map[change]struct{} // nil: there is no compaction
}

// on reports whether a compaction needs the changes.
func (c *changes) on() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys != nil
}

func (c *changes) set(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys = nil; on {
		c.keys = make(map[change]struct{})
	}
}

// add is called after the transaction with the changes: a compaction that saw the key earlier
// would copy what was there before.
func (c *changes) add(changed []change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil {
		return
	}
	for _, k := range changed {
		c.keys[k] = struct{}{}
	}
}

// take returns the changes up to now, if there are more than few, and forgets them.
func (c *changes) take(few int) map[change]struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.keys) <= few {
		return nil
	}
	keys := c.keys
	c.keys = make(map[change]struct{})
	return keys
}

// compaction is a copy of the file that is made while the writer works. A goroutine copies, and
// hands the compaction to the writer, which switches to the copy between two transactions.
type compaction struct {
	copy   *copying
	before int64 // bytes of the file
	began  time.Time
	copied time.Duration // how long the copy took
	err    error
}

// compactIfWorth starts a compaction if more than half of the file is free. The writer calls it.
func (s *Store) compactIfWorth(now time.Time) {
	if !canReplace || s.changes.on() || now.Before(s.compactAfter) || !s.file.isOpen() {
		return
	}
	size, free := s.file.sizes()
	if !s.o.eager && (free < s.o.minFree || 2*free < size) {
		return
	}
	if !s.o.eager {
		s.compactAfter = now.Add(compactAgain)
	}
	if !s.roomFor(size - free) {
		s.o.Logger.Warn("the store is not compacted: the disk has no room for a copy", "file", s.file.path, "bytes", size, "free", free)
		return
	}
	s.changes.set(true)
	c := &compaction{before: size, began: now}
	s.running.Go(func() { guard.Run(s.o.Logger, "the compaction of the store", func() { s.fill(c) }) })
}

// roomFor reports whether the disk has room for a copy and for publishers beside it.
func (s *Store) roomFor(bytes int64) bool {
	left, ok := space(filepath.Dir(s.file.path))
	return !ok || left >= bytes+bytes/4+min(spare, 4*s.o.minFree)
}

// fill makes the copy and hands it to the writer.
func (s *Store) fill(c *compaction) {
	c.err = errDamaged // if there is a panic
	guard.Run(s.o.Logger, "the compaction of the store", func() {
		err := s.copyFile(c)
		if err == nil {
			err = s.catchUp(c)
		}
		c.err = err
	})
	c.copied = time.Since(c.began)
	select {
	case s.filled <- c:
	case <-s.closing:
		c.discard()
	}
}

// copyFile copies the file, if the compaction has not done that already.
func (s *Store) copyFile(c *compaction) (err error) {
	if c.copy != nil {
		return nil
	}
	if c.copy, err = newCopying(s.file); err != nil {
		return err
	}
	return c.copy.all(s.pause())
}

func (c *compaction) discard() {
	if c.copy != nil {
		c.copy.discard()
	}
}

// pause returns a function that waits for as long as was worked since the call before, so that the
// disk has time for publishers. It fails if the copy has to end.
func (s *Store) pause() func() error {
	since := time.Now()
	return func() error {
		t := time.NewTimer(min(time.Since(since), time.Second))
		defer t.Stop()
		select {
		case <-s.closing:
			return fmt.Errorf("the store is closed")
		case <-t.C:
		}
		since = time.Now()
		if !s.roomFor(0) {
			return fmt.Errorf("the disk is nearly full")
		}
		return nil
	}
}

// catchUp copies what has changed since, until so little is left that the writer may copy it.
func (s *Store) catchUp(c *compaction) error {
	pause := s.pause()
	for range catchUps {
		keys := s.changes.take(switchKeys)
		if keys == nil {
			return nil
		}
		if err := c.copy.again(keys); err != nil {
			return err
		}
		if err := pause(); err != nil {
			return err
		}
	}
	return fmt.Errorf("more is stored than can be copied beside it")
}

// finishCompaction switches to a copy. The writer calls it between two transactions.
func (s *Store) finishCompaction(c *compaction) {
	if c.err == nil && s.changes.more(4*switchKeys) {
		s.running.Go(func() { guard.Run(s.o.Logger, "the compaction of the store", func() { s.fill(c) }) })
		return
	}
	began := time.Now()
	defer s.changes.set(false)
	if c.err == nil {
		c.err = s.switchTo(c.copy)
	}
	if c.err != nil {
		c.discard()
		s.o.Logger.Warn("the store could not be compacted; it is tried again later", "file", s.file.path, "error", c.err)
		return
	}
	after, _ := s.file.sizes()
	s.o.Logger.Info("the store was compacted", "file", s.file.path, "bytes_before", c.before, "bytes_after", after,
		"copied_in", c.copied, "paused_for", time.Since(began))
}

// more reports whether there are more changes than a number.
func (c *changes) more(than int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.keys) > than
}

// switchTo copies what is left and puts the copy in the place of the file.
func (s *Store) switchTo(c *copying) error {
	if err := c.again(s.changes.take(-1)); err != nil {
		return err
	}
	if s.o.compare != nil {
		s.o.compare(s.file, c)
	}
	if err := s.file.replace(c); err != nil && c.to != nil {
		return err
	} else if err != nil {
		s.o.Logger.Error("the new file of the store may not survive a power cut", "file", s.file.path, "error", err)
	}
	return nil
}

// sizes returns how many bytes the file has, and how many of them are free.
func (f *file) sizes() (size, free int64) {
	_ = f.view(func(tx *bbolt.Tx) error { // a file that can not be read is not compacted
		stats := tx.DB().Stats()
		size, free = tx.Size(), int64(stats.FreePageN+stats.PendingPageN)*int64(tx.DB().Info().PageSize)
		return nil
	})
	return size, free
}

package disk

import (
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// Store is the file of one hub. [Open] makes one.
type Store struct {
	// Set by Open.
	o      Options
	file   *file
	meta   meta
	opened time.Time
	seed   maphash.Seed
	// standing are the orders that the file had. Control takes them.
	standing []savedOrder

	queue   chan task
	late    late
	closing chan struct{} // closed by Close
	stopped chan struct{} // closed when the writer has ended
	close   sync.Once
	running sync.WaitGroup

	broker atomic.Pointer[Broker]        // nil before Store.Broker
	box    atomic.Pointer[memory.Outbox] // nil without Store.Outbox

	// holds and members are those of the process before. EndHolds and Presence take them.
	holds   map[memory.Hold]*string
	members map[memory.MemberKey]*memory.SavedMember

	generations generations
	changes     changes          // for the compaction
	filled      chan *compaction // to the writer

	// The writer's.
	failing      bool      // the latest transaction has failed
	compactAfter time.Time // no compaction starts before

	mu sync.RWMutex // a leaf
	// Guarded by mu.
	known map[uint64]struct{} // hashes of the channels that the file has
}

// Open opens the store in a folder, and makes an empty one if there is none. Close ends it.
func Open(o Options) (*Store, error) {
	s := &Store{
		o: o.withDefaults(), opened: time.Now(), seed: maphash.MakeSeed(), known: make(map[uint64]struct{}),
		queue: make(chan task, maxQueue), filled: make(chan *compaction), closing: make(chan struct{}), stopped: make(chan struct{}),
		late: late{wake: make(chan struct{}, 1)},
	}
	var err error
	if s.file, err = openFile(s.o); err != nil {
		return nil, err
	}
	if err = s.read(); err != nil {
		err = fmt.Errorf("store: %s can not be used: %w", s.file.path, err)
		return nil, errors.Join(err, s.file.close())
	}
	_ = os.Remove(s.file.path + ".new") // of a compaction that was interrupted
	s.running.Go(func() { guard.Loop(s.closing, s.o.Logger, "the writer of the store", s.write) })
	return s, nil
}

// read prepares the file, and reads its orders and which rooms it has.
func (s *Store) read() error {
	return s.file.update(func(tx *bbolt.Tx) (err error) {
		if s.meta, err = prepare(tx, s.o.Hub); err != nil {
			return err
		}
		s.generations.read(tx)
		err = tx.Bucket(ordersBucket).ForEach(func(_, value []byte) error {
			o, err := decodeOrder(value)
			s.standing = append(s.standing, o)
			return err
		})
		if err != nil {
			return err
		}
		return tx.Bucket(roomsBucket).ForEach(func(channel, _ []byte) error {
			s.known[maphash.Bytes(s.seed, channel)] = struct{}{}
			return nil
		})
	})
}

// has reports whether the file may have a room. It is wrong about few rooms that it has not.
func (s *Store) has(channel string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.known[maphash.String(s.seed, channel)]
	return ok
}

// note notes that the file has a room, or has it no more.
func (s *Store) note(channel string, there bool) {
	hash := maphash.String(s.seed, channel)
	s.mu.Lock()
	defer s.mu.Unlock()
	if there {
		s.known[hash] = struct{}{}
	} else {
		delete(s.known, hash)
	}
}

// Close ends the store and closes its file. Nothing may use the broker of the store afterwards.
// Closing again does nothing.
func (s *Store) Close() (err error) {
	s.close.Do(func() {
		close(s.closing)
		s.running.Wait()
		close(s.stopped)
		err = s.file.close()
	})
	return err
}

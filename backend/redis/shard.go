package redis

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// shard is a node's access to one Redis, or to one partition of a cluster: the batcher that
// sends commands, the link with the subscribed connection, and the names of the keys. One shard
// has all of a room.
type shard struct {
	// Set by newShard.
	o       Options
	names   names
	node    string // name of this node
	primary primary
	batch   *batcher
	link    *link
	log     *slog.Logger

	queue  atomic.Pointer[queue]  // of the outbox; nil before it is started
	intake atomic.Pointer[Intake] // nil: nothing is taken from other programs

	leaseRenewedAt atomic.Int64 // an uptime; 0: no lease was ever renewed

	closeOnce sync.Once
	ctx       context.Context // ends when the shard is closed
	cancel    context.CancelFunc
	wg        sync.WaitGroup // all goroutines except the senders of batch
}

// newShard makes a shard and starts to connect. It does not wait for Redis.
func newShard(o Options, node string, to primary) *shard {
	s := &shard{o: o, names: names{o.Prefix}, node: node, primary: to, log: o.Logger}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.batch = newBatcher(to, o.Timeout, o.Logger)
	s.link = newLink(s)
	s.runLoop(&s.wg, "the subscription to Redis", s.link.keepConnected)
	s.runLoop(&s.wg, "the unsubscribing from Redis", s.link.unsubscribeIdleUntilClosed)
	return s
}

// errPanicked is the error of work that panicked. The panic was logged.
var errPanicked = errors.New("redis: internal error")

// runLoop runs f in a goroutine of wg until the shard is closed. After a panic it calls f
// again.
func (s *shard) runLoop(wg *sync.WaitGroup, what string, f func()) {
	wg.Go(func() { guard.Loop(s.ctx.Done(), s.log, what, f) })
}

// close ends the goroutines and connections. Closing again does nothing.
func (s *shard) close() {
	s.closeOnce.Do(func() {
		s.cancel()
		s.link.close()
		s.wg.Wait()
		s.batch.close()
		s.primary.close()
	})
}

// pause waits. It returns false if the shard is closed meanwhile.
func (s *shard) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

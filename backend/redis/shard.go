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

// shard is what one node has of one Redis: where commands go, the subscribed
// connection, and the names of what is kept there. All of a room is in one shard.
type shard struct {
	// Set when it is made.
	o       Options
	names   names
	node    string // names this node
	primary primary
	batch   *batcher
	link    *link
	log     *slog.Logger

	leaseRenewedAt atomic.Int64 // the uptime when a lease was last renewed; 0: never was

	closeOnce sync.Once
	ctx       context.Context // over when the shard is ended
	cancel    context.CancelFunc
	wg        sync.WaitGroup // all goroutines but those of batch
}

// newShard starts what connects to a Redis. It does not wait for it.
func newShard(o Options, node string, to primary) *shard {
	s := &shard{o: o, names: names{o.Prefix}, node: node, primary: to, log: o.Logger}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.batch = newBatcher(to, o.Timeout, o.Logger)
	s.link = newLink(s)
	s.runLoop(&s.wg, "the subscription to Redis", s.link.keepConnected)
	s.runLoop(&s.wg, "the unsubscribing from Redis", s.link.unsubscribeIdleUntilClosed)
	return s
}

// errPanicked is the error of what ended in a panic, which was logged.
var errPanicked = errors.New("redis: internal error")

// keep runs what goes on until the shard is ended in a goroutine of wg. After a panic it
// is called again.
func (s *shard) runLoop(wg *sync.WaitGroup, what string, f func()) {
	wg.Go(func() { guard.Loop(s.ctx.Done(), s.log, what, f) })
}

// end ends the goroutines and connections. Ending it again does nothing.
func (s *shard) close() {
	s.closeOnce.Do(func() {
		s.cancel()
		s.link.close()
		s.wg.Wait()
		s.batch.close()
		s.primary.close()
	})
}

// pause waits, unless the shard is ended meanwhile.
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

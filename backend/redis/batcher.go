package redis

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/internal/tally"
)

const (
	// maxSenders is how many batches may be on their way at once. Fewer senders make larger
	// batches, which cost less per call. More than one keeps Redis busy during a round trip.
	maxSenders = 3
	// maxBatch and maxBatchBytes bound the calls and the bytes of a batch. The last call may
	// exceed the bytes.
	maxBatch      = 512
	maxBatchBytes = 1 << 20
	// maxQueue is how many calls may wait. Further calls fail at once: they would time out
	// anyway.
	maxQueue = 8192
	// maxRepeats is how often a repeatable call is sent again.
	maxRepeats = 3
)

// batcher sends calls to Redis. Calls that arrive while others are on their way are sent
// together: one round trip and one system call for all. A call is sent without delay when
// nothing is on its way.
//
// A sender is a goroutine. It starts when there is a call to send, and ends when the queue is
// empty.
type batcher struct {
	primary primary
	timeout time.Duration
	log     *slog.Logger
	trips   *tally.Histogram // of round trips that Redis has answered
	failed  atomic.Uint64    // those that it has not

	// failUntil is an uptime. Until then all calls fail at once, because Redis did not answer
	// just now. Otherwise each caller would wait for its own timeout.
	failUntil atomic.Int64

	mu      sync.Mutex
	closed  bool
	queue   []*call
	senders int
	wg      sync.WaitGroup
}

func newBatcher(to primary, timeout time.Duration, log *slog.Logger) *batcher {
	return &batcher{primary: to, timeout: timeout, log: log, trips: newTrips()}
}

// do sends a call and waits for its result. When ctx ends, do returns, but a call that was sent
// may still be executed. All other errors wrap [hub.ErrUnavailable].
func (b *batcher) do(ctx context.Context, c *call) (any, error) {
	began := time.Now()
	for n := 0; ; n++ {
		b.submit(c)
		select {
		case <-c.done:
		case <-ctx.Done():
			c.abandoned.Store(true)
			return nil, ctx.Err()
		}
		repeat := c.connErr != nil && c.repeatable && n < maxRepeats || c.notExecuted && time.Since(began) < b.timeout
		if !repeat {
			return c.result, c.err
		}
		c = c.copyUnsent()
		if err := pause(ctx, rand.N(20*time.Millisecond)<<min(n, maxRepeats)); err != nil {
			return nil, err
		}
	}
}

// submit puts a call in the queue. The batcher closes c.done when the call is over.
func (b *batcher) submit(c *call) {
	now := time.Now()
	c.done, c.deadline = make(chan struct{}), now.Add(b.timeout)
	for _, a := range c.args {
		if p, ok := a.([]byte); ok {
			c.size += len(p)
		}
	}
	if int64(uptime()) < b.failUntil.Load() {
		c.fail(errors.New("Redis did not answer just now"))
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		c.fail(errors.New("the client is closed"))
	case len(b.queue) >= maxQueue:
		c.fail(errors.New("too many commands are waiting"))
	default:
		b.queue = append(b.queue, c)
		if b.senders < maxSenders {
			b.senders++
			b.wg.Go(func() { guard.Loop(nil, b.log, "the commands to Redis", b.sendUntilEmpty) })
		}
	}
}

// sendUntilEmpty sends batches until the queue is empty.
func (b *batcher) sendUntilEmpty() {
	for {
		batch := b.nextBatch()
		if batch == nil {
			return
		}
		if !guard.Run(b.log, "commands to Redis", func() { b.send(batch, sendMode{}) }) {
			failUnfinished(batch)
		}
	}
}

// nextBatch removes the next batch from the queue. If the queue is empty, it returns nil and
// counts this sender as ended.
func (b *batcher) nextBatch() []*call {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, size := 0, 0
	for n < len(b.queue) && n < maxBatch && size < maxBatchBytes {
		size += b.queue[n].size
		n++
	}
	if n == 0 {
		b.queue, b.senders = nil, b.senders-1
		return nil
	}
	batch := b.queue[:n:n]
	b.queue = b.queue[n:]
	return batch
}

// sendMode is how a batch is sent.
type sendMode struct {
	fullScripts bool // send the source of scripts instead of the hash
	redirect    bool // send to the server that the reply names
}

// send sends a batch. Redis certainly did not execute two kinds of calls, which are sent once
// more: scripts that Redis does not know, with their source, and calls whose key belongs to
// another server of the cluster, to that server.
func (b *batcher) send(batch []*call, how sendMode) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*b.timeout)
	defer cancel()
	now := time.Now()
	pipe, err := b.pipeline(ctx, how)
	if err != nil {
		b.noteAvailability(err, now)
		for _, c := range batch {
			c.fail(err)
		}
		return
	}
	sent, replies := batch[:0], make([]*goredis.Cmd, 0, len(batch))
	for _, c := range batch {
		if c.abandoned.Load() || now.After(c.deadline) && how == (sendMode{}) {
			c.fail(errors.New("the command waited too long"))
			continue
		}
		cmd := goredis.NewCmd(ctx, c.commandArgs(how.fullScripts, b.primary.usesShardedPubSub())...)
		_ = pipe.Process(ctx, noRetryCmd{cmd}) // only queues the command
		sent, replies = append(sent, c), append(replies, cmd)
	}
	if len(sent) == 0 {
		return
	}
	_, err = pipe.Exec(ctx)
	b.noteAvailability(err, now)
	var unknown, elsewhere []*call
	for i, c := range sent {
		result, err := replies[i].Result()
		switch {
		case !how.fullScripts && c.script != nil && goredis.HasErrorPrefix(err, "NOSCRIPT"):
			unknown = append(unknown, c)
		case !how.redirect && (goredis.HasErrorPrefix(err, "MOVED ") || goredis.HasErrorPrefix(err, "ASK ")):
			elsewhere = append(elsewhere, c)
		default:
			c.finish(result, err)
		}
	}
	if len(unknown) > 0 {
		b.replaceSecrets(ctx, unknown, how)
		b.send(unknown, sendMode{true, how.redirect})
	}
	if len(elsewhere) > 0 {
		b.send(elsewhere, sendMode{how.fullScripts, true})
	}
}

func (b *batcher) pipeline(ctx context.Context, how sendMode) (goredis.Pipeliner, error) {
	if how.redirect {
		return b.primary.redirectPipeline(), nil
	}
	client, err := b.primary.client(ctx)
	if err != nil {
		return nil, err
	}
	return client.Pipeline(), nil
}

// noteAvailability notes whether Redis answers. If it does not, calls fail at once for a
// moment.
func (b *batcher) noteAvailability(err error, began time.Time) {
	var answer goredis.Error
	if err == nil || errors.As(err, &answer) {
		b.failUntil.Store(0)
		b.trips.Observe(time.Since(began), 1)
		return
	}
	b.failed.Add(1)
	b.primary.refreshSlots()
	// The next batch replaces a broken connection. If no new connection can be made, or if the
	// answer takes too long, another try at once does not help.
	var dial interface{ Timeout() bool }
	if errors.As(err, &dial) && dial.Timeout() || isDial(err) || time.Since(began) >= b.timeout {
		b.failUntil.Store(int64(uptime() + 100*time.Millisecond + rand.N(150*time.Millisecond)))
	}
}

// close rejects further calls and waits for the senders.
func (b *batcher) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.wg.Wait()
}

// sendOne sends one call and returns its result.
func (b *batcher) sendOne(ctx context.Context, c *call, how sendMode) (any, error) {
	pipe, err := b.pipeline(ctx, how)
	if err != nil {
		return nil, err
	}
	cmd := goredis.NewCmd(ctx, c.commandArgs(how.fullScripts, b.primary.usesShardedPubSub())...)
	_ = pipe.Process(ctx, noRetryCmd{cmd}) // only queues the command
	began := time.Now()
	_, err = pipe.Exec(ctx)
	b.noteAvailability(err, began)
	return cmd.Result()
}

// noRetryCmd is a command that go-redis does not send again after it may have been executed.
type noRetryCmd struct{ *goredis.Cmd }

// NoRetry is called by go-redis.
func (noRetryCmd) NoRetry() bool { return true }

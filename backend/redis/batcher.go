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
)

const (
	// maxFlights is how many batches may be under way at once. Fewer make larger
	// batches, which cost less each; more than one keeps Redis busy meanwhile.
	maxSenders = 3
	// A batch has at most so many calls and, but for its last call, bytes.
	maxBatch      = 512
	maxBatchBytes = 1 << 20
	// maxQueue is how many calls may wait. Beyond it they fail at once, because
	// they would wait in vain.
	maxQueue = 8192
	// repeats is how often a call that may be repeated is.
	maxRepeats = 3
)

// batcher sends calls to Redis, those that come while others are under way together:
// a round trip and a system call for many. There is no delay when nothing is.
type batcher struct {
	primary primary
	timeout time.Duration
	log     *slog.Logger

	// broken is until which uptime nothing is tried: who asks a Redis
	// that does not answer should not wait for each answer.
	failUntil atomic.Int64

	mu      sync.Mutex
	closed  bool
	queue   []*call
	senders int
	wg      sync.WaitGroup
}

func newBatcher(to primary, timeout time.Duration, log *slog.Logger) *batcher {
	return &batcher{primary: to, timeout: timeout, log: log}
}

// do sends a call and waits for its result. A context that is over ends the waiting,
// not what may already be on its way. All other errors wrap [hub.ErrUnavailable].
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

// submit puts a call in the queue; its done is closed when it is over.
func (b *batcher) submit(c *call) {
	now := time.Now()
	c.done, c.deadline = make(chan struct{}), now.Add(b.timeout)
	for _, a := range c.args {
		if p, ok := a.([]byte); ok {
			c.size += len(p)
		}
	}
	if int64(uptime()) < b.failUntil.Load() {
		c.fail(errors.New("it did not answer just now"))
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		c.fail(errors.New("closed"))
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

// fly sends batches until the queue is empty.
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

// take gives the next batch; nil ends the flight.
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

// manner is how a batch is sent.
type sendMode struct {
	fullScripts bool // scripts in full
	redirect    bool // to where the servers say
}

// send carries a batch out. What was certainly not executed is sent once more in the
// manner that it needs: scripts that Redis does not know, in full; what belongs to
// another server of a cluster, there.
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
			c.fail(errors.New("it is too slow"))
			continue
		}
		cmd := goredis.NewCmd(ctx, c.commandArgs(how.fullScripts, b.primary.usesShardedPubSub())...)
		_ = pipe.Process(ctx, noRetryCmd{cmd}) // which only takes it down
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

// judge notes whether Redis answers.
func (b *batcher) noteAvailability(err error, began time.Time) {
	var answer goredis.Error
	if err == nil || errors.As(err, &answer) {
		b.failUntil.Store(0)
		return
	}
	b.primary.refreshSlots()
	// A connection that broke is replaced with the next batch. If there is no other,
	// or the answer does not come, trying again at once is of no use.
	var dial interface{ Timeout() bool }
	if errors.As(err, &dial) && dial.Timeout() || isDial(err) || time.Since(began) >= b.timeout {
		b.failUntil.Store(int64(uptime() + 100*time.Millisecond + rand.N(150*time.Millisecond)))
	}
}

// close refuses further calls and waits for those under way.
func (b *batcher) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.wg.Wait()
}

// single sends one call and returns its result.
func (b *batcher) sendOne(ctx context.Context, c *call, how sendMode) (any, error) {
	pipe, err := b.pipeline(ctx, how)
	if err != nil {
		return nil, err
	}
	cmd := goredis.NewCmd(ctx, c.commandArgs(how.fullScripts, b.primary.usesShardedPubSub())...)
	_ = pipe.Process(ctx, noRetryCmd{cmd}) // which only takes it down
	began := time.Now()
	_, err = pipe.Exec(ctx)
	b.noteAvailability(err, began)
	return cmd.Result()
}

// once is a command that go-redis does not repeat once it may have been executed.
type noRetryCmd struct{ *goredis.Cmd }

// NoRetry is what go-redis asks.
func (noRetryCmd) NoRetry() bool { return true }

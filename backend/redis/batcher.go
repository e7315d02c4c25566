package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// maxFlights is how many batches may be under way at once. Fewer make larger
	// batches, which cost less each; more than one keeps Redis busy meanwhile.
	maxFlights = 3
	// A batch has at most so many calls and, but for its last call, bytes.
	maxBatch      = 512
	maxBatchBytes = 1 << 20
	// maxQueue is how many calls may wait. Beyond it they fail at once, because
	// they would wait in vain.
	maxQueue = 8192
	// repeats is how often a call that may be repeated is.
	repeats = 3
)

// call is one command or script on its way.
type call struct {
	// Set by the caller.
	script *script // nil: args is a command
	keys   []string
	args   []any
	again  bool   // it may be repeated when its outcome is unknown
	secret string // the key of the secret that the script makes epochs of; empty: none

	size     int
	deadline time.Time
	gone     atomic.Bool // nobody waits for it
	done     chan struct{}

	// Set before done is closed.
	result any
	err    error // hub.ErrUnavailable in it, or nil
	lost   error // what the connection said; the outcome is unknown then
	undone bool  // it was not executed, and may be soon
}

// batcher sends calls to Redis, those that come while others are under way together:
// a round trip and a system call for many. There is no delay when nothing is.
type batcher struct {
	to      primary
	timeout time.Duration
	log     *slog.Logger

	// broken is until which uptime nothing is tried: who asks a Redis
	// that does not answer should not wait for each answer.
	broken atomic.Int64

	mu      sync.Mutex
	closed  bool
	queue   []*call
	flights int
	wg      sync.WaitGroup
}

func newBatcher(to primary, timeout time.Duration, log *slog.Logger) *batcher {
	return &batcher{to: to, timeout: timeout, log: log}
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
			c.gone.Store(true)
			return nil, ctx.Err()
		}
		repeat := c.lost != nil && c.again && n < repeats || c.undone && time.Since(began) < b.timeout
		if !repeat {
			return c.result, c.err
		}
		c = c.repeated()
		if err := pause(ctx, rand.N(20*time.Millisecond)<<min(n, repeats)); err != nil {
			return nil, err
		}
	}
}

// repeated is the same call as if it had not been sent.
func (c *call) repeated() *call {
	return &call{script: c.script, keys: c.keys, args: c.args, again: c.again, secret: c.secret}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
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
	if int64(uptime()) < b.broken.Load() {
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
		if b.flights < maxFlights {
			b.flights++
			b.wg.Go(func() { guard.Loop(nil, b.log, "the commands to Redis", b.fly) })
		}
	}
}

// fly sends batches until the queue is empty.
func (b *batcher) fly() {
	for {
		batch := b.take()
		if batch == nil {
			return
		}
		if !guard.Run(b.log, "commands to Redis", func() { b.send(batch, manner{}) }) {
			abandon(batch)
		}
	}
}

// abandon ends the calls of a batch whose outcome is unknown.
func abandon(batch []*call) {
	for _, c := range batch {
		select {
		case <-c.done:
		default:
			c.fail(errPanicked)
		}
	}
}

// take gives the next batch; nil ends the flight.
func (b *batcher) take() []*call {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, size := 0, 0
	for n < len(b.queue) && n < maxBatch && size < maxBatchBytes {
		size += b.queue[n].size
		n++
	}
	if n == 0 {
		b.queue, b.flights = nil, b.flights-1
		return nil
	}
	batch := b.queue[:n:n]
	b.queue = b.queue[n:]
	return batch
}

// manner is how a batch is sent.
type manner struct {
	full   bool // scripts in full
	follow bool // to where the servers say
}

// send carries a batch out. What was certainly not executed is sent once more in the
// manner that it needs: scripts that Redis does not know, in full; what belongs to
// another server of a cluster, there.
func (b *batcher) send(batch []*call, how manner) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*b.timeout)
	defer cancel()
	now := time.Now()
	pipe, err := b.pipeline(ctx, how)
	if err != nil {
		b.judge(err, now)
		for _, c := range batch {
			c.fail(err)
		}
		return
	}
	sent, replies := batch[:0], make([]*goredis.Cmd, 0, len(batch))
	for _, c := range batch {
		if c.gone.Load() || now.After(c.deadline) && how == (manner{}) {
			c.fail(errors.New("it is too slow"))
			continue
		}
		cmd := goredis.NewCmd(ctx, c.words(how.full, b.to.sharded())...)
		_ = pipe.Process(ctx, once{cmd}) // which only takes it down
		sent, replies = append(sent, c), append(replies, cmd)
	}
	if len(sent) == 0 {
		return
	}
	_, err = pipe.Exec(ctx)
	b.judge(err, now)
	var unknown, elsewhere []*call
	for i, c := range sent {
		result, err := replies[i].Result()
		switch {
		case !how.full && c.script != nil && goredis.HasErrorPrefix(err, "NOSCRIPT"):
			unknown = append(unknown, c)
		case !how.follow && (goredis.HasErrorPrefix(err, "MOVED ") || goredis.HasErrorPrefix(err, "ASK ")):
			elsewhere = append(elsewhere, c)
		default:
			c.end(result, err)
		}
	}
	if len(unknown) > 0 {
		b.awaken(ctx, unknown, how)
		b.send(unknown, manner{true, how.follow})
	}
	if len(elsewhere) > 0 {
		b.send(elsewhere, manner{how.full, true})
	}
}

func (b *batcher) pipeline(ctx context.Context, how manner) (goredis.Pipeliner, error) {
	if how.follow {
		return b.to.follow(), nil
	}
	client, err := b.to.client(ctx)
	if err != nil {
		return nil, err
	}
	return client.Pipeline(), nil
}

// judge notes whether Redis answers.
func (b *batcher) judge(err error, began time.Time) {
	var answer goredis.Error
	if err == nil || errors.As(err, &answer) {
		b.broken.Store(0)
		return
	}
	b.to.doubt()
	// A connection that broke is replaced with the next batch. If there is no other,
	// or the answer does not come, trying again at once is of no use.
	var dial interface{ Timeout() bool }
	if errors.As(err, &dial) && dial.Timeout() || isDial(err) || time.Since(began) >= b.timeout {
		b.broken.Store(int64(uptime() + 100*time.Millisecond + rand.N(150*time.Millisecond)))
	}
}

// words are what goes over the wire.
func (c *call) words(full, sharded bool) []any {
	if c.script == nil {
		if sharded && c.args[0] == "publish" {
			return append([]any{"spublish"}, c.args[1:]...)
		}
		return c.args
	}
	s := c.script
	if sharded {
		s = s.sharded
	}
	s = s.forSecret(c.secret)
	words := make([]any, 0, 3+len(c.keys)+len(c.args))
	if full {
		words = append(words, "eval", s.source)
	} else {
		words = append(words, "evalsha", s.hash)
	}
	words = append(words, len(c.keys))
	for _, k := range c.keys {
		words = append(words, k)
	}
	return append(words, c.args...)
}

func (c *call) end(result any, err error) {
	var answer goredis.Error
	switch {
	case err == nil || errors.Is(err, goredis.Nil):
		c.result = result
	case errors.As(err, &answer):
		c.err = fmt.Errorf("%w: redis: %v", hub.ErrUnavailable, err)
		// A slot is on its way to another server, or none has it, or Redis has begun anew.
		c.undone = goredis.IsTryAgainError(err) || goredis.IsClusterDownError(err) || goredis.HasErrorPrefix(err, "UNSETTLED ")
	default:
		c.err = fmt.Errorf("%w: redis: %v", hub.ErrUnavailable, err)
		c.lost = err
	}
	close(c.done)
}

func (c *call) fail(err error) { c.end(nil, err) }

// close refuses further calls and waits for those under way.
func (b *batcher) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.wg.Wait()
}

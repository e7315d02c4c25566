package redis

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/notify"
)

// Outbox is a [notify.Outbox] over all shards. Each shard has a queue. Make one with
// [Client.Outbox].
type Outbox struct {
	c      *Client
	queues []*queue // in the order of the shards
}

var _ notify.Outbox = (*Outbox)(nil)

// Outbox starts the outbox of this node. Close it before the client.
func (c *Client) Outbox() *Outbox {
	o := &Outbox{c: c}
	for _, s := range c.shards {
		o.queues = append(o.queues, s.startQueue())
	}
	return o
}

// Choose implements [notify.Outbox].
func (o *Outbox) Choose(c *notify.Choice, b notify.Bounds) {
	for _, q := range o.queues {
		q.choose(c, b)
	}
}

func (o *Outbox) queueOf(name string) *queue { return o.queues[o.c.shardIndex(name)] }

// Record implements [notify.Outbox].
func (o *Outbox) Record(ctx context.Context, e notify.Event) error {
	q := o.queueOf(e.Channel)
	if !q.chosen.Load().choice.Wants(e.Type, e.Channel) {
		return nil
	}
	_, err := q.c.batch.do(ctx, q.recordCall(&call{script: recordScript, args: []any{string(e.Type), e.Channel, ""}}))
	return err
}

// Connect implements [notify.Outbox].
func (o *Outbox) Connect(connection, user string) {
	o.queueOf(connection).have("c"+connection, true, user)
}

// Disconnect implements [notify.Outbox].
func (o *Outbox) Disconnect(connection, user string) {
	o.queueOf(connection).have("c"+connection, false, user)
}

// Occupy implements [notify.Outbox].
func (o *Outbox) Occupy(channel string) { o.queueOf(channel).have("r"+channel, true, "") }

// Vacate implements [notify.Outbox].
func (o *Outbox) Vacate(channel string) { o.queueOf(channel).have("r"+channel, false, "") }

// Queues implements [notify.Outbox].
func (o *Outbox) Queues() []notify.Queue {
	all := make([]notify.Queue, len(o.queues))
	for i, q := range o.queues {
		all[i] = q
	}
	return all
}

// Close implements [notify.Outbox]. It reports what this node has not reported yet, if Redis can be
// reached.
func (o *Outbox) Close() error {
	return inParallel(o.queues, func(q *queue) error { q.close(); return nil })
}

// chosen is what [Outbox.Choose] sets.
type chosen struct {
	choice *notify.Choice
	bounds notify.Bounds
}

// queue is the queue of one shard.
type queue struct {
	// Set by startQueue.
	c         *shard
	holds     holds
	wg        sync.WaitGroup
	closeOnce sync.Once

	chosen atomic.Pointer[chosen] // never nil

	// Guarded by mu.
	mu      sync.Mutex
	wakes   map[string]chan struct{} // by sink
	batches map[string]openBatch     // by sink
}

func (c *shard) startQueue() *queue {
	q := &queue{c: c, wakes: make(map[string]chan struct{}), batches: make(map[string]openBatch)}
	q.chosen.Store(new(chosen))
	c.queue.Store(q)
	q.holds.init(q)
	// An error means that the client is closed. Then nothing is left to do.
	_, _ = c.link.acquire(c.names.outboxTopic(), func() handler { return outboxNotices{q} })
	c.runLoop(&q.wg, "the report of connections and channels", q.holds.reportUntilClosed)
	return q
}

func (q *queue) choose(c *notify.Choice, b notify.Bounds) {
	if b.Events <= 0 {
		b.Events = notify.DefaultBufferEvents
	}
	if b.Bytes <= 0 {
		b.Bytes = notify.DefaultBufferBytes
	}
	if b.Keep <= 0 {
		b.Keep = 2 * notify.DefaultRetry
	}
	q.chosen.Store(&chosen{c, b})
	q.holds.choose(c, b.Events)
}

func (q *queue) have(name string, has bool, user string) { q.holds.have(name, has, user) }

func (q *queue) close() {
	q.closeOnce.Do(func() {
		q.holds.cancel()
		q.wg.Wait()
		q.c.link.release(q.c.names.outboxTopic())
	})
}

// recordCall adds what a script with outbox.lua needs to a call.
func (q *queue) recordCall(c *call) *call {
	n, b := q.c.names, q.chosen.Load().bounds
	c.keys = append(c.keys, n.outbox(), n.outboxLog())
	c.args = append(c.args, b.Events, b.Bytes, b.Keep.Milliseconds(), n.outboxTopic())
	return c
}

// record makes a call also record an event of one of some types, if that is wanted for the channel. with
// is what the script needs for that.
func (c *shard) record(to *call, channel, with string, types ...notify.Type) *call {
	q := c.queue.Load()
	if q == nil {
		return to
	}
	for _, t := range types {
		if q.chosen.Load().choice.Wants(t, channel) {
			return q.recordWith(to, with)
		}
	}
	return to
}

// recordMessage makes a call also record the message that it publishes, if that is wanted.
func (c *shard) recordMessage(to *call, m *hub.Message) *call {
	q := c.queue.Load()
	if q == nil || !q.chosen.Load().choice.WantsMessage(m.Channel, m.Event, m.Sender) {
		return to
	}
	return q.recordWith(to, m.Channel)
}

func (q *queue) recordWith(to *call, with string) *call {
	to.script = to.script.recording
	to.args = append(to.args, with)
	return q.recordCall(to)
}

// wantedMembers returns which events of members are wanted, as presence.lua has them.
func (c *shard) wantedMembers(channel string) (letters string) {
	if q := c.queue.Load(); q != nil {
		choice := q.chosen.Load().choice
		if choice.Wants(notify.Entered, channel) {
			letters = "e"
		}
		if choice.Wants(notify.Left, channel) {
			letters += "l"
		}
	}
	return letters
}

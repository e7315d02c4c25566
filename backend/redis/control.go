package redis

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

const (
	// maxOrders is how many orders Redis keeps for nodes that can not be reached. keepOrders is
	// how long.
	maxOrders  = 10_000
	keepOrders = 24 * time.Hour
	// maxStanding is how many standing orders Redis keeps.
	maxStanding = 100_000
	// orderPageSize is how many orders are read at once.
	orderPageSize = 100
)

// Control carries orders between the nodes of a hub, over one shard. Make one with
// [Client.Control].
//
// Orders are a stream in Redis. Each node reads the stream at its own pace, so that a node that
// was cut off misses none. Pub/Sub only announces that there is something to read.
type Control struct {
	// Set by startControl.
	c         *shard
	executor  hub.Executor
	wake      chan struct{} // there is something to read
	pending   pendingOrders
	counts    headcount
	questions questions

	ctx    context.Context // ends when the control is closed
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func (c *shard) startControl(e hub.Executor) *Control {
	k := &Control{c: c, executor: e, wake: make(chan struct{}, 1)}
	k.ctx, k.cancel = context.WithCancel(c.ctx)
	k.questions.init(k)
	// An error means that the client is closed. Then nothing is left to do.
	_, _ = c.link.acquire(c.names.ordered(), func() handler { return orderNotices{k} })
	_, _ = c.link.acquire(c.names.answers(c.node), func() handler { return &k.pending })
	_, _ = c.link.acquire(c.names.asked(), func() handler { return questionNotices{&k.questions} })
	_, _ = c.link.acquire(c.names.replies(c.node), func() handler { return replyNotices{&k.questions} })
	_, _ = c.link.acquire(c.names.forwarded(c.node), func() handler { return forwardNotices{&k.questions} })
	k.counts.init(k)
	c.runLoop(&k.wg, "following orders", k.followOrders)
	c.runLoop(&k.wg, "counting connections", k.counts.reportUntilClosed)
	c.runLoop(&k.wg, "answering questions", k.questions.answerUntilClosed)
	c.runLoop(&k.wg, "announcing the node", k.questions.announceUntilClosed)
	return k
}

// Order sends an order to the other nodes and waits a moment for their answers.
func (k *Control) Order(ctx context.Context, o hub.Order) (hub.Answers, error) {
	if n := len(o.Body); n == 0 || n > hub.MaxOrder { // an empty order would end the standing order of its name
		return hub.Answers{}, fmt.Errorf("redis: an order of %d bytes", n)
	}
	n := k.c.names
	p := k.pending.begin()
	defer k.pending.end(p)
	c := &call{
		script: addOrderScript, keys: []string{n.orders(), n.standing(), n.lasting(), n.announced()},
		args: []any{k.c.node, p.number, o.Body, n.ordered(), maxOrders, keepOrders.Milliseconds()},
	}
	if o.Name != "" || len(o.Ends) > 0 {
		c.args = append(c.args, o.Name, o.Lasts.Milliseconds(), maxStanding)
	}
	for _, name := range o.Ends {
		c.args = append(c.args, name)
	}
	result, err := k.c.batch.do(ctx, c)
	if err != nil {
		return hub.Answers{}, err
	}
	counts, _ := result.([]any)
	if len(counts) != 2 {
		return hub.Answers{}, unexpected(result)
	}
	told, ok1 := counts[0].(int64)
	known, ok2 := counts[1].(int64)
	if !ok1 || !ok2 {
		return hub.Answers{}, unexpected(result)
	}
	answers := k.pending.waitForAnswers(ctx, p, int(told), k.answerTime())
	// A node that is known and does not listen is cut off, or has just died. Nobody waits for it.
	answers.Pending = max(answers.Pending, int(known)-answers.Nodes)
	return answers, nil
}

// answerTime is how long a node waits for the answers of others: the time to learn of the order
// and the time to answer. Nodes do not answer orders that are older.
func (k *Control) answerTime() time.Duration { return 2 * k.c.o.Timeout }

// Close ends the control.
func (k *Control) Close() {
	k.cancel()
	k.wg.Wait()
	k.c.link.release(k.c.names.ordered())
	k.c.link.release(k.c.names.answers(k.c.node))
	k.c.link.release(k.c.names.asked())
	k.c.link.release(k.c.names.replies(k.c.node))
	k.c.link.release(k.c.names.forwarded(k.c.node))
}

package redis

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// orderNotices is the handler of the Pub/Sub channel that announces orders.
type orderNotices struct{ k *Control }

func (h orderNotices) subscribed() { h.k.wakeReader() }

// receive takes the node that sent an order, and the number of the order on that node.
func (h orderNotices) receive(payload string) {
	if node, number, _ := strings.Cut(payload, ":"); node == h.k.c.node {
		h.k.pending.markHeard(number)
	}
	h.k.wakeReader()
}

func (k *Control) wakeReader() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// followOrders executes the orders of other nodes until the control is closed: first the
// standing orders, then those that arrive.
func (k *Control) followOrders() {
	var at orderCursor
	var b backoff
	for k.ctx.Err() == nil {
		if err := k.executeNew(&at); err != nil {
			_ = pause(k.ctx, b.next()) // the loop checks whether the control is closed
			continue
		}
		b.reset()
		every := k.c.o.Check
		timer := time.NewTimer(every*3/4 + rand.N(every/2))
		select {
		case <-k.wake:
		case <-timer.C:
		case <-k.ctx.Done():
		}
		timer.Stop()
	}
}

// orderCursor is how far this node has read the orders.
type orderCursor struct {
	last             string // id of the latest order; empty: nothing was read
	standing         bool   // the standing orders have been executed
	informedExecutor bool   // the executor was told so
}

// executeNew executes the orders that have arrived.
func (k *Control) executeNew(at *orderCursor) error {
	for {
		page, err := k.readPage(at.last)
		if err != nil {
			return err
		}
		at.last = page.last
		if page.gone {
			at.standing = false
		}
		for _, o := range page.orders {
			k.execute(o)
		}
		if len(page.orders) == 0 {
			break
		}
	}
	if !at.standing {
		if err := k.executeStanding(); err != nil {
			return err
		}
		at.standing = true
	}
	if !at.informedExecutor {
		at.informedExecutor = true
		k.executor.Informed()
	}
	return nil
}

// execute executes an order and answers the node that sent it.
func (k *Control) execute(o receivedOrder) {
	if o.node == k.c.node {
		return // this node has already done it
	}
	ended, err := k.runOrder(o.body, o.ago)
	answer := strconv.Itoa(ended)
	if err != nil {
		answer = notUnderstood
	}
	if o.ago < k.answerTime() {
		// A lost answer can not be helped.
		k.c.batch.submit(&call{args: []any{"publish", k.c.names.answers(o.node), o.number + ":" + answer}})
	}
}

// runOrder passes an order to the executor. If the executor panics, only this order fails.
func (k *Control) runOrder(body string, ago time.Duration) (ended int, err error) {
	err = errPanicked
	guard.Run(k.c.log, "an order", func() { ended, err = k.executor.Execute([]byte(body), ago) })
	return ended, err
}

// executeStanding executes all standing orders. The node may have executed them before.
func (k *Control) executeStanding() error {
	for cursor := "0"; ; {
		result, err := k.c.batch.do(k.ctx, &call{args: []any{"hscan", k.c.names.standing(), cursor, "count", 500}, repeatable: true})
		if err != nil {
			return err
		}
		reply, _ := result.([]any)
		if len(reply) != 2 {
			return unexpected(result)
		}
		pairs := texts(reply[1])
		for i := 1; i < len(pairs); i += 2 {
			_, _ = k.runOrder(pairs[i], 0) // the executor logs what it does not understand
		}
		if cursor, _ = reply[0].(string); cursor == "0" || cursor == "" {
			return nil
		}
	}
}

// receivedOrder is an order of another node.
type receivedOrder struct {
	node, number, body string
	ago                time.Duration
}

// orderPage is a page of the stream of orders.
type orderPage struct {
	last   string
	gone   bool
	orders []receivedOrder
}

func (k *Control) readPage(last string) (orderPage, error) {
	result, err := k.c.batch.do(k.ctx, &call{
		script: readOrdersScript, keys: []string{k.c.names.orders()}, args: []any{last, orderPageSize}, repeatable: true,
	})
	if err != nil {
		return orderPage{}, err
	}
	p, err := parseOrders(result)
	if err != nil {
		return orderPage{}, unexpected(result)
	}
	return p, nil
}

var errOrders = errors.New("redis: not a list of orders")

func parseOrders(result any) (p orderPage, err error) {
	reply, _ := result.([]any)
	if len(reply) != 3 {
		return p, errOrders
	}
	p.last, _ = reply[0].(string)
	p.gone = reply[1] == int64(1)
	list, _ := reply[2].([]any)
	for _, v := range list {
		entry, _ := v.([]any)
		if len(entry) != 4 {
			return p, errOrders
		}
		ms, _ := entry[2].(int64)
		o := receivedOrder{ago: time.Duration(ms) * time.Millisecond}
		o.node, _ = entry[0].(string)
		o.number, _ = entry[1].(string)
		o.body, _ = entry[3].(string)
		p.orders = append(p.orders, o)
	}
	if p.last == "" {
		return p, errOrders
	}
	return p, nil
}

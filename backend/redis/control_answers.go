package redis

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// pendingOrders are the orders of this node that wait for answers. It is the handler of the
// Pub/Sub channel on which the answers arrive.
type pendingOrders struct {
	mu     sync.Mutex
	number uint64
	open   map[uint64]*pendingOrder // by number
}

// pendingOrder is one order that waits for answers.
type pendingOrder struct {
	number  uint64
	changed chan struct{}

	// Guarded by pendingOrders.mu.
	heard   bool // this node received the order as well
	refused int  // nodes that do not understand the order
	answers hub.Answers
}

func (ps *pendingOrders) begin() *pendingOrder {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.number++
	p := &pendingOrder{number: ps.number, changed: make(chan struct{}, 1)}
	if ps.open == nil {
		ps.open = make(map[uint64]*pendingOrder)
	}
	ps.open[p.number] = p
	return p
}

func (ps *pendingOrders) end(p *pendingOrder) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	delete(ps.open, p.number)
}

// update changes the order with a number, if it still waits for answers.
func (ps *pendingOrders) update(number string, change func(*pendingOrder)) {
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p := ps.open[n]; p != nil {
		change(p)
		select {
		case p.changed <- struct{}{}:
		default:
		}
	}
}

// markHeard notes that this node is one of the nodes that received the order.
func (ps *pendingOrders) markHeard(number string) {
	ps.update(number, func(p *pendingOrder) { p.heard = true })
}

func (ps *pendingOrders) subscribed() {}

// notUnderstood stands in an answer instead of the number of connections. Nodes of an earlier
// version ignore such an answer.
const notUnderstood = "?"

// receive takes an answer: the number of the order, and how many connections were closed.
func (ps *pendingOrders) receive(payload string) {
	number, count, _ := strings.Cut(payload, ":")
	if count == notUnderstood {
		ps.update(number, func(p *pendingOrder) { p.refused++ })
		return
	}
	ended, err := strconv.Atoi(count)
	if err != nil || ended < 0 {
		return
	}
	ps.update(number, func(p *pendingOrder) {
		p.answers.Nodes++
		p.answers.Ended += ended
	})
}

// waitForAnswers waits until all nodes that received the order have answered, at most limit.
func (ps *pendingOrders) waitForAnswers(ctx context.Context, p *pendingOrder, told int, limit time.Duration) hub.Answers {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		answers, silent := ps.answersSoFar(p, told)
		if silent == 0 {
			return answers
		}
		select {
		case <-p.changed:
		case <-timer.C:
			return answers
		case <-ctx.Done():
			return answers
		}
	}
}

// answersSoFar returns the answers that have arrived. silent is how many nodes may still
// answer.
func (ps *pendingOrders) answersSoFar(p *pendingOrder, told int) (a hub.Answers, silent int) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	a = p.answers
	if p.heard {
		told--
	}
	a.Pending = max(told-a.Nodes, 0)
	return a, max(a.Pending-p.refused, 0)
}

package redis

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// polls are the orders of this node whose answers are waited for. They are the handler
// of the Pub/Sub channel on which the answers come.
type polls struct {
	mu     sync.Mutex
	number uint64
	open   map[uint64]*poll // by number
}

// poll is one order.
type poll struct {
	number uint64
	news   chan struct{}

	// Guarded by polls.mu.
	here    bool // this node has heard of the order as well
	refused int  // nodes that do not understand the order
	answers hub.Answers
}

func (ps *polls) begin() *poll {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.number++
	p := &poll{number: ps.number, news: make(chan struct{}, 1)}
	if ps.open == nil {
		ps.open = make(map[uint64]*poll)
	}
	ps.open[p.number] = p
	return p
}

func (ps *polls) end(p *poll) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	delete(ps.open, p.number)
}

// note changes the poll with a number, if it is waited for.
func (ps *polls) note(number string, change func(*poll)) {
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p := ps.open[n]; p != nil {
		change(p)
		select {
		case p.news <- struct{}{}:
		default:
		}
	}
}

// heard notes that this node is one of those that were told.
func (ps *polls) heard(number string) { ps.note(number, func(p *poll) { p.here = true }) }

func (ps *polls) subscribed() {}

// notUnderstood stands in an answer in place of the number of connections. A node of an
// earlier version takes no notice of it.
const notUnderstood = "?"

// receive takes an answer: the number of the order, and how many connections it ended.
func (ps *polls) receive(payload string) {
	number, count, _ := strings.Cut(payload, ":")
	if count == notUnderstood {
		ps.note(number, func(p *poll) { p.refused++ })
		return
	}
	ended, err := strconv.Atoi(count)
	if err != nil || ended < 0 {
		return
	}
	ps.note(number, func(p *poll) {
		p.answers.Nodes++
		p.answers.Ended += ended
	})
}

// wait waits until all nodes that were told have answered, up to a limit.
func (ps *polls) wait(ctx context.Context, p *poll, told int, limit time.Duration) hub.Answers {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		answers, silent := ps.answers(p, told)
		if silent == 0 {
			return answers
		}
		select {
		case <-p.news:
		case <-timer.C:
			return answers
		case <-ctx.Done():
			return answers
		}
	}
}

// answers are those so far. silent is how many nodes may still answer.
func (ps *polls) answers(p *poll, told int) (a hub.Answers, silent int) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	a = p.answers
	if p.here {
		told--
	}
	a.Pending = max(told-a.Nodes, 0)
	return a, max(a.Pending-p.refused, 0)
}

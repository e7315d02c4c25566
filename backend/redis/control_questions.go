package redis

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// replyTime is how long a node waits for the replies to a question.
	replyTime = time.Second
	// maxQuestions is how many questions of other nodes wait on this node. A node that gets
	// more does not reply to them.
	maxQuestions = 16
	// maxQuestion bounds a question, in bytes.
	maxQuestion = 8 << 10
)

// questions carries questions of operators between the nodes. In contrast to an order, a
// question that a node misses is not repeated: it is answered now or not at all.
//
// Each node announces itself in Redis for the time of a lease. So the node that asks knows
// how many replies are missing, also those of a node that is cut off or has just died.
type questions struct {
	// Set by init.
	k         *Control
	arrived   chan askedQuestion // of other nodes
	forwarded chan askedQuestion // for this node alone, see [Control.Forward]

	mu     sync.Mutex
	number uint64
	open   map[string]*openQuestion // by number
}

// askedQuestion is a question of another node.
type askedQuestion struct{ node, number, body string }

// openQuestion is a question of this node that waits for replies.
type openQuestion struct {
	number  string
	changed chan struct{}

	// Guarded by questions.mu.
	replied map[string]bool // by node; a node that did not understand has false
	replies []hub.Reply
}

func (qs *questions) init(k *Control) {
	qs.k, qs.open = k, make(map[string]*openQuestion)
	qs.arrived = make(chan askedQuestion, maxQuestions)
	qs.forwarded = make(chan askedQuestion, maxForwarded)
}

// Node returns the name of this node, as the other nodes know it.
func (k *Control) Node() string { return k.c.node }

// Ask sends a question to the other nodes and waits a moment for their replies. An error
// wraps [hub.ErrUnavailable].
func (k *Control) Ask(ctx context.Context, body []byte) (hub.Replies, error) {
	n := k.c.names
	q := k.questions.begin()
	defer k.questions.end(q)
	result, err := k.c.batch.do(ctx, &call{
		script: askScript, keys: []string{n.announced()},
		args: []any{n.asked(), k.c.node + ":" + q.number + ":" + string(body)},
	})
	if err != nil {
		return hub.Replies{}, err
	}
	known := slices.DeleteFunc(texts(result), func(node string) bool { return node == k.c.node })
	return k.questions.wait(ctx, q, known), nil
}

func (qs *questions) begin() *openQuestion {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	qs.number++
	q := &openQuestion{
		number: strconv.FormatUint(qs.number, 10), changed: make(chan struct{}, 1), replied: make(map[string]bool),
	}
	qs.open[q.number] = q
	return q
}

func (qs *questions) end(q *openQuestion) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	delete(qs.open, q.number)
}

// wait waits until all known nodes have replied, at most replyTime.
func (qs *questions) wait(ctx context.Context, q *openQuestion, known []string) hub.Replies {
	timer := time.NewTimer(replyTime)
	defer timer.Stop()
	for {
		replies, silent := qs.soFar(q, known)
		if silent == 0 {
			return replies
		}
		select {
		case <-q.changed:
		case <-timer.C:
			return replies
		case <-ctx.Done():
			return replies
		}
	}
}

// soFar returns the replies that have arrived. silent is how many nodes may still reply.
func (qs *questions) soFar(q *openQuestion, known []string) (r hub.Replies, silent int) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	r.Replies = slices.Clone(q.replies)
	for _, node := range known {
		understood, replied := q.replied[node]
		if !replied {
			silent++
		}
		if !understood {
			r.Missing++
		}
	}
	return r, silent
}

// questionNotices is the handler of the Pub/Sub channel of questions.
type questionNotices struct{ qs *questions }

func (questionNotices) subscribed() {}

func (h questionNotices) receive(payload string) { h.qs.take(payload, h.qs.arrived) }

// take takes the node that asks, the number of the question on that node, and the question.
func (qs *questions) take(payload string, to chan<- askedQuestion) {
	node, rest, _ := strings.Cut(payload, ":")
	number, body, ok := strings.Cut(rest, ":")
	if !ok || node == qs.k.c.node || len(body) > maxQuestion {
		return
	}
	select {
	case to <- askedQuestion{strings.Clone(node), strings.Clone(number), strings.Clone(body)}:
	default: // the node that asks says that a reply is missing
	}
}

// replyNotices is the handler of the Pub/Sub channel on which the replies arrive.
type replyNotices struct{ qs *questions }

func (replyNotices) subscribed() {}

// receive takes the number of a question, the node that replies, and the reply. Without a
// reply the node did not understand the question.
func (h replyNotices) receive(payload string) {
	number, rest, _ := strings.Cut(payload, ":")
	node, body, ok := strings.Cut(rest, ":")
	if !ok || len(body) > hub.MaxReply {
		return
	}
	h.qs.mu.Lock()
	defer h.qs.mu.Unlock()
	q := h.qs.open[number]
	if q == nil {
		return // too late
	}
	if _, again := q.replied[node]; again {
		return
	}
	q.replied[strings.Clone(node)] = body != ""
	if body != "" {
		q.replies = append(q.replies, hub.Reply{Node: strings.Clone(node), Body: []byte(body)})
	}
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

// answerUntilClosed answers questions of other nodes until the control is closed.
func (qs *questions) answerUntilClosed() {
	for {
		select {
		case q := <-qs.arrived:
			if responder, ok := qs.k.executor.(hub.Responder); ok {
				qs.answer(q, responder.Respond)
			}
		case q := <-qs.forwarded:
			if receiver, ok := qs.k.executor.(hub.Receiver); ok {
				qs.answer(q, receiver.Forwarded)
			}
		case <-qs.k.ctx.Done():
			return
		}
	}
}

// answer answers a question. If respond panics, only this question stays unanswered.
func (qs *questions) answer(q askedQuestion, respond func([]byte) ([]byte, error)) {
	var body []byte
	var err error
	if !guard.Run(qs.k.c.log, "the answer to a question", func() { body, err = respond([]byte(q.body)) }) ||
		err != nil || len(body) > hub.MaxReply {
		body = nil
	}
	c := qs.k.c
	// A lost reply can not be helped.
	c.batch.submit(&call{args: []any{"publish", c.names.replies(q.node), q.number + ":" + c.node + ":" + string(body)}})
}

// announceUntilClosed announces this node until the control is closed.
func (qs *questions) announceUntilClosed() {
	var b backoff
	c := qs.k.c
	for qs.k.ctx.Err() == nil {
		third := c.o.Lease / 3
		wait := third/2 + rand.N(third/2)
		_, err := c.batch.do(qs.k.ctx, &call{
			script: announceScript, keys: []string{c.names.announced()}, repeatable: true,
			args: []any{c.node, c.o.Lease.Milliseconds()},
		})
		if err != nil {
			wait = b.next()
		} else {
			b.reset()
		}
		_ = pause(qs.k.ctx, wait) // the loop checks whether the control is closed
	}
	qs.withdraw()
}

// withdraw removes the announcement, if Redis can be reached.
func (qs *questions) withdraw() {
	c := qs.k.c
	ctx, cancel := context.WithTimeout(context.Background(), c.o.Timeout)
	defer cancel()
	_, _ = c.batch.do(ctx, &call{args: []any{"zrem", c.names.announced(), c.node}})
}

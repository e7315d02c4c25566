package redis

import (
	"context"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// maxForwarded is how many requests of other nodes wait on this node. A node that gets more does not
// reply to them.
const maxForwarded = 256

// Forward hands a request to one other node and waits a moment for its reply. An error wraps
// [hub.ErrUnavailable].
//
// A request is like a question, and takes the same way back, but only its node receives it. It is no
// order: Redis keeps orders until each node has read them, and clients that send many requests would
// push the orders of the app out. A request that comes too late would also do harm: it would undo what
// the client has said since.
func (k *Control) Forward(ctx context.Context, node string, body []byte) ([]byte, error) {
	if n := len(body); n > maxQuestion {
		return nil, fmt.Errorf("redis: a request of %d bytes for another node", n)
	}
	q := k.questions.begin()
	defer k.questions.end(q)
	payload := k.c.node + ":" + q.number + ":" + string(body)
	heard, err := k.c.batch.do(ctx, &call{args: []any{"publish", k.c.names.forwarded(node), payload}})
	if err != nil {
		return nil, err
	}
	if heard == int64(0) {
		return nil, fmt.Errorf("%w: node %s does not listen", hub.ErrUnavailable, node)
	}
	replies := k.questions.wait(ctx, q, []string{node})
	if len(replies.Replies) == 0 {
		return nil, fmt.Errorf("%w: node %s does not reply", hub.ErrUnavailable, node)
	}
	return replies.Replies[0].Body, nil
}

// forwardNotices is the handler of the Pub/Sub channel with what is for this node alone.
type forwardNotices struct{ qs *questions }

func (forwardNotices) subscribed() {}

func (h forwardNotices) receive(payload string) { h.qs.take(payload, h.qs.forwarded) }

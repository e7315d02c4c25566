package session

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// Inspection answers what operators ask about the hub, over all nodes.
type Inspection struct {
	// Static before the first session is opened.
	hub      *hub.Hub
	rules    *current
	sessions *sessions
	members  *presence.Tracker // nil: no room has presence
	asker    Asker             // nil: there are no other nodes
	node     Node
	health   func() Health // nil: the node is always ready
}

// Asker is an optional ability of a [Control]: to ask the other nodes. Without it the
// answers are about this node alone.
type Asker interface {
	// Ask sends a question to the other nodes and waits a moment for their replies. An
	// error wraps [hub.ErrUnavailable].
	Ask(ctx context.Context, question []byte) (hub.Replies, error)
	// Node returns the name of this node, as the other nodes know it.
	Node() string
}

// Node says which node this is.
type Node struct {
	Name string
	// Host is the name of the machine; empty if it is not known.
	Host string
	// Started is when the hub started.
	Started time.Time
}

// Coverage says of how many nodes an answer is.
type Coverage struct {
	// Nodes is how many nodes answered, with this one.
	Nodes int `json:"nodes"`
	// Missing is how many known nodes did not answer in time.
	Missing int `json:"missing,omitempty"`
	// Partial is true if a node or the store is away, so that the answer may lack something.
	Partial bool `json:"partial,omitempty"`
}

// init is called by New. Without other nodes the name is random.
func (i *Inspection) init(h *hub.Hub, u *current, s *sessions) {
	i.hub, i.rules, i.sessions = h, u, s
	i.node = Node{Name: strings.ToLower(rand.Text()[:8]), Started: time.Now()}
	i.node.Host, _ = os.Hostname()
}

// Node returns which node this is.
func (i *Inspection) Node() Node { return i.node }

// Health returns whether this node takes clients.
func (i *Inspection) Health() Health {
	if i.health == nil {
		return Health{Ready: true}
	}
	return i.health()
}

// question is what one node asks the others. It has one of the fields. A question without any
// is of a newer version.
type question struct {
	Channels    *ChannelQuery    `json:"channels,omitempty"`
	Connections *ConnectionQuery `json:"connections,omitempty"`
	Connection  string           `json:"connection,omitempty"`
	Stats       bool             `json:"stats,omitempty"`
	Counts      *countQuestion   `json:"counts,omitempty"`
}

var errQuestion = errors.New("session: the question is not known")

// respond answers a question of another node.
func (i *Inspection) respond(q question) (any, error) {
	switch {
	case q.Channels != nil:
		return i.channelsHere(*q.Channels), nil
	case q.Connections != nil:
		return i.connectionsHere(*q.Connections)
	case q.Connection != "":
		return i.connectionHere(q.Connection), nil
	case q.Stats:
		return i.statsHere(), nil
	}
	return nil, errQuestion
}

// Respond implements [hub.Responder].
func (r *Registry) Respond(body []byte) ([]byte, error) {
	var q question
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	if q.Counts != nil {
		if q.Counts.Users != nil {
			return json.Marshal(r.Watchlists.respond(*q.Counts))
		}
		return json.Marshal(r.Audience.respond(*q.Counts))
	}
	answer, err := r.Inspection.respond(q)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

var _ hub.Responder = (*Registry)(nil)

// ask asks the other nodes. all starts with the answer of this node.
func ask[T any](ctx context.Context, i *Inspection, q question, here T) (all []T, c Coverage) {
	all, c = []T{here}, Coverage{Nodes: 1}
	if i.asker == nil {
		return all, c
	}
	body, err := json.Marshal(q)
	var replies hub.Replies
	if err == nil {
		replies, err = i.asker.Ask(ctx, body)
	}
	if err != nil {
		c.Partial = true
		return all, c
	}
	c.Missing = replies.Missing
	for _, reply := range replies.Replies {
		var there T
		if err := json.Unmarshal(reply.Body, &there); err != nil {
			i.rules.Load().log.Warn("the reply of another node is not understood", "node", reply.Node, "error", err)
			c.Missing++
			continue
		}
		all, c.Nodes = append(all, there), c.Nodes+1
	}
	c.Partial = c.Missing > 0
	return all, c
}

// maxAnswer is how many bytes of a list a node sends at most.
const maxAnswer = hub.MaxReply / 2

// page is a part of a list that one node has.
type page[T any] struct {
	Items []T `json:"items"`
	// More reports that the node has items after the last one.
	More bool `json:"more,omitempty"`
}

// fit cuts a page before its items take more than maxAnswer bytes. One item is always left.
func (p page[T]) fit(size func(T) int) page[T] {
	sum := 0
	for n, item := range p.Items {
		if sum += size(item); sum > maxAnswer && n > 0 {
			return page[T]{p.Items[:n:n], true}
		}
	}
	return p
}

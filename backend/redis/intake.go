package redis

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Other programs publish frames in Redis, such as an emitter of Socket.IO. Every node that listens
// receives each frame. What a frame says about the connections of a node, each node does (intake_order.go).
// What it publishes in rooms, one node does for all, in the order of the frames:
//
//   - One node leads, as long as it renews its lease (lua/intake_claim.lua). Just before it publishes a frame,
//     it claims the frame and renews the lease, in one step. So the order is that of Redis, and a room's
//     history has the message once.
//   - The other nodes keep the frames until no leader can need them any more. If the leader dies, the
//     next one claims what it has kept: what the old one has claimed, it drops. So a frame is not
//     lost with its leader, but for the one that was claimed and not published.
//   - A leader that was busy for longer than its lease has claimed one frame, and sees with the next one that
//     another node leads. To claim many frames at once would save a call for each frame. But then the leader
//     publishes the rest of them behind what the next one publishes, or they are lost.
//   - A publish that takes nearly as long as the lease is given up, which is logged. What is left is a
//     node, or a Redis, that stands still between the claim and the publish for longer than the
//     lease: then one message comes behind later ones. That the publish itself compares the lease would not
//     close it: the room may be on another server than the lease.
//   - A frame has no id, and two equal frames are two. So a frame is known by its hash and by how
//     many equal ones came before it, since the latest mark. A node that has subscribed publishes a
//     mark. Redis delivers frames and marks to all in one order, so all count alike.
//
// That a frame is delivered on each node for itself, as servers of Socket.IO do, would have been
// simpler. But then the room's history would lack the message, or have it once for each node.

// IntakeOptions say what a node takes from other programs. The zero value takes nothing.
type IntakeOptions struct {
	// Channels and Patterns are those of Pub/Sub, without the prefix of the hub.
	Channels, Patterns []string
	// Take is called for each frame, in order, with the channel in which it was published. It returns
	// what each node has to do with its own connections, and what one node has to do for all; nil
	// for nothing. On the node that leads, both are done in the order of
	// the frames, see intake_order.go. A panic costs the
	// frame.
	Take func(channel, payload string) (here, all func(context.Context))

	lease time.Duration // zero: intakeLease. Tests shorten it
}

const (
	// intakeLease is how long a node leads without a renewal. It renews intakeBeats times in that.
	intakeLease = 5 * time.Second
	intakeBeats = 5
	// intakeKept is for how many leases a node keeps frames for which another node may turn out to be dead,
	// intakeClaims how long a claim lasts: longer than any node may keep the frame.
	intakeKept   = 2
	intakeClaims = time.Minute
	// intakeClosing is how long Close waits for what is claimed, while Redis does not answer.
	intakeClosing = 2 * time.Second
	// intakeFrames and intakeBytes bound the frames that wait, and as many that are kept. What a node drops
	// for them is lost, unless another node leads.
	intakeFrames = 8192
	intakeBytes  = 32 << 20
	// intakeCounts is after how many different frames a node publishes a mark, so that all nodes
	// count anew.
	intakeCounts = 10_000
)

// errIntakeCluster is the error of an intake in a cluster: its servers have no common order.
var errIntakeCluster = errors.New("redis: a cluster has no order of what is published, so that nothing can be taken from other programs")

// Intake takes what other programs publish in the first Redis of a client.
type Intake struct {
	// Static.
	c      *shard
	topics []string
	take   func(channel, payload string) (here, all func(context.Context))
	wake   chan struct{}
	log    *slog.Logger
	lease  time.Duration // see intakeLease

	ctx    context.Context // ends when the intake is closed
	cancel context.CancelFunc
	wg     sync.WaitGroup

	leads atomic.Bool // written by takeUntilClosed

	mu      sync.Mutex // a leaf
	counter frameCounter
	arrived []arrivedFrame
	bytes   int // of arrived
	lost    int // frames that are lost since the latest warning
	warned  time.Time
	noticed string // the name in the latest notice

	// Owned by takeUntilClosed.
	kept      []keptFrame
	keptBytes int
	renewed   time.Time // when Redis was last asked who leads
	followed  time.Time // when the latest answer was that another node leads; zero if it was not
	closing   time.Time // see overdue
	unsettled string    // the last frame that this node has published since it was settled
}

// Intake starts to take what other programs publish. A client has one at a time, which is closed before
// the client. The error is about a cluster.
func (c *Client) Intake(o IntakeOptions) (*Intake, error) {
	s := c.shards[0]
	if s.primary.usesShardedPubSub() {
		return nil, errIntakeCluster
	}
	in := &Intake{c: s, take: o.Take, wake: make(chan struct{}, 1), log: s.log, lease: cmp.Or(o.lease, intakeLease)}
	in.ctx, in.cancel = context.WithCancel(s.ctx)
	in.counter.unmarked = true
	s.intake.Store(in)
	in.listen(s.names.intakeMark(), intakeMarks{s})
	for _, name := range o.Channels {
		in.listen(name, intakeFrom{s})
	}
	for _, pattern := range o.Patterns {
		in.listen(patternTopic(pattern), intakeFrom{s})
	}
	s.runLoop(&in.wg, "taking what other programs publish", in.takeUntilClosed)
	return in, nil
}

// listen subscribes to a topic. An error means that the client is closed; then nothing is left to do.
func (in *Intake) listen(topic string, h handler) {
	if _, err := in.c.link.acquire(topic, func() handler { return h }); err == nil {
		in.topics = append(in.topics, topic)
	}
}

// Close ends the intake. Another node leads at once.
func (in *Intake) Close() {
	in.cancel()
	in.wg.Wait()
	in.c.intake.CompareAndSwap(in, nil)
	for _, topic := range in.topics {
		in.c.link.release(topic)
	}
	if in.leads.Load() {
		ctx, cancel := context.WithTimeout(context.Background(), in.c.o.Timeout)
		defer cancel()
		_, _ = in.callClaim(ctx, 0, nil) // the lease ends by itself
	}
}

// beat is how often the lease is renewed.
func (in *Intake) beat() time.Duration { return in.lease / intakeBeats }

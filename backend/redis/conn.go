package redis

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// subscribeBatch is how many channels a command names. maxUnconfirmed is how many channels
	// may wait for their confirmation: with too many confirmations in its output buffer Redis
	// closes the connection, again and again.
	subscribeBatch = 512
	maxUnconfirmed = 4096
)

var (
	// errSilent ends a connection on which nothing arrives any more.
	errSilent = errors.New("redis: the subscribed connection is silent")
	// errMigrated ends a connection whose server no longer has the shard's slot.
	errMigrated = errors.New("redis: the slot has moved to another server")
)

// conn is one subscribed connection. serveConn owns it and reads. Two more goroutines write the
// changes and watch for silence; serveConn waits for both.
type conn struct {
	link   *link
	pubsub *goredis.PubSub
	dialed *dialOnce
	wake   chan struct{} // there are changes to write, or fewer unconfirmed ones
	done   chan struct{} // closed when the reader has ended

	// Set by serveConn: the commands for plain or for sharded Pub/Sub, and those for patterns.
	subscribe, unsubscribe   func(ctx context.Context, channels ...string) error
	psubscribe, punsubscribe func(ctx context.Context, patterns ...string) error

	received atomic.Uint64 // number of messages and confirmations that arrived

	mu          sync.Mutex
	todo        []subscriptionChange
	unconfirmed int
	reason      error // why it was aborted
}

// subscriptionChange is a channel to subscribe or to unsubscribe. Changes are written in order.
type subscriptionChange struct {
	name      string
	subscribe bool
}

// serveConn makes a connection and reads from it until it ends.
func (l *link) serveConn(b *backoff) error {
	client, dialed, err := l.c.newSubscriber(l.c.ctx, l.due.run)
	if err != nil {
		return err
	}
	defer client.Close()
	defer dialed.close()
	// Client.Close must not wait for a dial.
	stop := context.AfterFunc(l.c.ctx, func() { guard.Run(l.c.log, "the end of a subscription", dialed.close) })
	defer stop()
	k := &conn{link: l, dialed: dialed, wake: make(chan struct{}, 1), done: make(chan struct{})}
	k.pubsub = client.Subscribe(l.c.ctx)
	defer k.pubsub.Close()
	k.subscribe, k.unsubscribe = k.pubsub.Subscribe, k.pubsub.Unsubscribe
	k.psubscribe, k.punsubscribe = k.pubsub.PSubscribe, k.pubsub.PUnsubscribe
	if l.c.primary.usesShardedPubSub() {
		k.subscribe, k.unsubscribe = k.pubsub.SSubscribe, k.pubsub.SUnsubscribe
	}
	if err := k.subscribe(l.c.ctx, l.c.names.probe(l.c.node)); err != nil {
		return err
	}
	k.unconfirmed = 1
	if err := l.useConn(k); err != nil {
		return err
	}
	if b.n > 0 {
		l.c.log.Info("the subscription to Redis is open again")
	}
	var wg sync.WaitGroup
	wg.Go(func() { k.runGuarded("the writer of a subscription", k.writeChanges) })
	wg.Go(func() { k.runGuarded("the watch over a subscription", k.watchSilence) })
	k.runGuarded("the reader of a subscription", func() { err = k.readUntilEnd() })
	err = k.endReason(err)
	close(k.done)
	dialed.close()
	wg.Wait()
	return err
}

// runGuarded runs f. If f panics, the connection ends.
func (k *conn) runGuarded(what string, f func()) {
	defer guard.Recover(k.link.c.log, what, func() { k.abort(errPanicked) })
	f()
}

// readUntilEnd passes messages and confirmations on until the connection ends.
func (k *conn) readUntilEnd() error {
	l := k.link
	probe := l.c.names.probe(l.c.node)
	defer l.due.run()
	for {
		if !k.dialed.callsBeforeRead {
			l.due.run()
		}
		ev, err := k.pubsub.Receive(context.Background())
		if err != nil {
			return err
		}
		k.received.Add(1)
		switch ev := ev.(type) {
		case *goredis.Message:
			if ev.Channel == probe {
				continue
			}
			name := ev.Channel
			if ev.Pattern != "" {
				name = patternTopic(ev.Pattern)
			}
			if h := l.findHandler(name); h != nil {
				guard.Run(l.c.log, "what takes a message from Redis", func() { deliver(h, ev.Channel, ev.Payload) })
			}
		case *goredis.Subscription:
			if ev.Kind == "psubscribe" {
				ev.Kind, ev.Channel = "subscribe", patternTopic(ev.Channel)
			}
			if ev.Kind != "subscribe" && ev.Kind != "ssubscribe" {
				if ev.Channel == probe { // this node did not unsubscribe from it
					return errMigrated
				}
				continue
			}
			k.countConfirmation()
			if ev.Channel != probe {
				l.confirmed(ev.Channel)
			}
		}
	}
}

// endReason returns the reason of the abort. Without an abort it returns err, the error of the
// connection.
func (k *conn) endReason(err error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.reason != nil {
		return k.reason
	}
	return err
}

func (k *conn) abort(reason error) {
	k.mu.Lock()
	k.reason = reason
	k.mu.Unlock()
	k.dialed.close()
}

// countConfirmation makes space for another unconfirmed channel.
func (k *conn) countConfirmation() {
	k.mu.Lock()
	k.unconfirmed--
	more := len(k.todo) > 0
	k.mu.Unlock()
	if more {
		k.wakeWriter()
	}
}

func (k *conn) wakeWriter() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// queueChange queues a change for the writer. It does not block.
func (k *conn) queueChange(name string, subscribe bool) {
	k.mu.Lock()
	k.todo = append(k.todo, subscriptionChange{name, subscribe})
	k.mu.Unlock()
	k.wakeWriter()
}

// writeChanges writes the queued changes until the connection ends.
func (k *conn) writeChanges() {
	for {
		select {
		case <-k.done:
			return
		case <-k.wake:
		}
		for {
			names, subscribe := k.nextChanges()
			if len(names) == 0 {
				break
			}
			if err := k.write(names, subscribe); err != nil {
				k.abort(err)
				return
			}
		}
	}
}

// write writes one command for channels, or for one pattern.
func (k *conn) write(names []string, subscribe bool) error {
	pattern, is := strings.CutPrefix(names[0], patternMark)
	switch {
	case is && subscribe:
		return k.psubscribe(context.Background(), pattern)
	case is:
		return k.punsubscribe(context.Background(), pattern)
	case subscribe:
		return k.subscribe(context.Background(), names...)
	}
	return k.unsubscribe(context.Background(), names...)
}

// nextChanges removes the changes for the next command from the queue.
func (k *conn) nextChanges() (names []string, subscribe bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.todo) > 0 && len(names) < subscribeBatch {
		next := k.todo[0]
		alone := strings.HasPrefix(next.name, patternMark) || len(names) > 0 && strings.HasPrefix(names[0], patternMark)
		if len(names) > 0 && (next.subscribe != subscribe || alone) || next.subscribe && k.unconfirmed >= maxUnconfirmed {
			break
		}
		subscribe = next.subscribe
		if subscribe {
			k.unconfirmed++
		}
		names = append(names, next.name)
		k.todo = k.todo[1:]
	}
	if len(k.todo) == 0 {
		k.todo = nil
	}
	return names, subscribe
}

// watchSilence ends a connection on which nothing arrives any more. The peer may have lost the
// connection without notice, and a successful write proves nothing. So after a silence the node
// publishes a message to itself through the command pool. If Redis accepts the message and it
// does not arrive, the connection is broken. If Redis does not accept it, the connection is not
// at fault.
func (k *conn) watchSilence() {
	l := k.link
	tick := time.NewTicker(max(l.c.o.Probe/silentTicks, time.Millisecond))
	defer tick.Stop()
	var s silenceCounter
	for {
		select {
		case <-k.done:
			return
		case <-tick.C:
		}
		switch probe, silent := s.tick(k.received.Load()); {
		case silent:
			l.silentConns.Add(1)
			k.abort(errSilent)
			return
		case probe:
			s.probed = l.publishProbe()
		}
	}
}

// publishProbe publishes a message to this node itself. It reports whether Redis accepted it.
func (l *link) publishProbe() bool {
	_, err := l.c.batch.do(l.c.ctx, &call{args: []any{"publish", l.c.names.probe(l.c.node), "?"}})
	return err == nil
}

// silentTicks is after how many ticks without a message watchSilence acts.
const silentTicks = 4

// silenceCounter measures how long nothing arrived on a subscribed connection. It counts ticks,
// not time. When the process does not run, messages wait in the socket; a process that was
// stopped for an hour has not waited an hour for them.
type silenceCounter struct {
	received uint64 // number of messages at the latest tick
	ticks    int    // since that tick, or since the probe
	probed   bool   // a message was published that must arrive
}

// tick takes the number of messages so far. probe: publish a message that must arrive. silent:
// that message did not arrive.
func (s *silenceCounter) tick(received uint64) (probe, silent bool) {
	if received != s.received {
		*s = silenceCounter{received: received}
		return false, false
	}
	if s.ticks++; s.ticks < silentTicks {
		return false, false
	}
	s.ticks = 0
	return !s.probed, s.probed
}

package redis

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// subscribeBatch is how many channels a command names, and maxUnconfirmed how
	// many may wait for their confirmation. All in one command would have Redis queue
	// so many confirmations that it closes the connection, again and again.
	subscribeBatch = 512
	maxUnconfirmed = 4096
)

var (
	// errSilent ends a connection that brings nothing any more.
	errSilent = errors.New("redis: the subscribed connection is silent")
	// errMigrated ends one whose server has given the shard's slot away.
	errMigrated = errors.New("redis: the slot has moved to another server")
)

// conn is one subscribed connection.
type conn struct {
	link   *link
	pubsub *goredis.PubSub
	dialed *dialOnce
	wake   chan struct{} // something to write, or a place in the window
	done   chan struct{} // closed when the reader is over

	// Set when it is made: the commands of the kind of Pub/Sub that the shard has.
	subscribe, unsubscribe func(ctx context.Context, channels ...string) error

	received atomic.Uint64 // how much has come

	mu          sync.Mutex
	todo        []subscriptionChange
	unconfirmed int
	reason      error // why it was aborted
}

// change is a channel to be subscribed or unsubscribed, in this order.
type subscriptionChange struct {
	name      string
	subscribe bool
}

// serve makes a connection and reads from it until it ends.
func (l *link) serveConn(b *backoff) error {
	client, dialed, err := l.c.newSubscriber(l.c.ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	defer dialed.close()
	// Close of the client must not wait for a dial.
	stop := context.AfterFunc(l.c.ctx, func() { guard.Run(l.c.log, "the end of a subscription", dialed.close) })
	defer stop()
	k := &conn{link: l, dialed: dialed, wake: make(chan struct{}, 1), done: make(chan struct{})}
	k.pubsub = client.Subscribe(l.c.ctx)
	defer k.pubsub.Close()
	k.subscribe, k.unsubscribe = k.pubsub.Subscribe, k.pubsub.Unsubscribe
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
		l.c.log.Info("the subscription to Redis stands again")
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

// guarded runs f. A panic of it ends the connection.
func (k *conn) runGuarded(what string, f func()) {
	defer guard.Recover(k.link.c.log, what, func() { k.abort(errPanicked) })
	f()
}

// read takes what comes until the connection ends.
func (k *conn) readUntilEnd() error {
	l := k.link
	probe := l.c.names.probe(l.c.node)
	for {
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
			if h := l.findHandler(ev.Channel); h != nil {
				guard.Run(l.c.log, "what takes a message from Redis", func() { h.receive(ev.Payload) })
			}
		case *goredis.Subscription:
			if ev.Kind != "subscribe" && ev.Kind != "ssubscribe" {
				if ev.Channel == probe { // nobody has asked for it
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

// ended gives the reason for an abort, else the error of the connection.
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

// confirm gives a place in the window back.
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

// add has a change written. It does not block.
func (k *conn) queueChange(name string, subscribe bool) {
	k.mu.Lock()
	k.todo = append(k.todo, subscriptionChange{name, subscribe})
	k.mu.Unlock()
	k.wakeWriter()
}

// write writes the changes.
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
			var err error
			if subscribe {
				err = k.subscribe(context.Background(), names...)
			} else {
				err = k.unsubscribe(context.Background(), names...)
			}
			if err != nil {
				k.abort(err)
				return
			}
		}
	}
}

// take gives the changes for the next command.
func (k *conn) nextChanges() (names []string, subscribe bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.todo) > 0 && len(names) < subscribeBatch {
		next := k.todo[0]
		if len(names) > 0 && next.subscribe != subscribe || next.subscribe && k.unconfirmed >= maxUnconfirmed {
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

// watch sees to it that a connection that brings nothing any more is replaced. Its
// peer may have lost it without a word, and writing to it proves nothing. So when it
// was silent, a message is published the ordinary way that has to come back. If
// Redis does not take it, the fault is not with this connection.
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
		switch ask, silent := s.tick(k.received.Load()); {
		case silent:
			l.silentConns.Add(1)
			k.abort(errSilent)
			return
		case ask:
			s.probed = l.publishProbe()
		}
	}
}

// probe publishes to this node itself.
func (l *link) publishProbe() bool {
	_, err := l.c.batch.do(l.c.ctx, &call{args: []any{"publish", l.c.names.probe(l.c.node), "?"}})
	return err == nil
}

// silentTicks is how often nothing may have come until something is done about it.
const silentTicks = 4

// silence is for how long nothing has come on a subscribed connection. It is counted in
// ticks and not by the clock: when this process does not get to run, what has come waits
// to be read, and a process that was stopped for long has not waited for any of it.
type silenceCounter struct {
	received uint64 // how much had come
	ticks    int    // since then, or since it was asked
	probed   bool   // something has been sent that has to come
}

// tick is told how much has come by now. It gives whether something is to be sent that
// has to come, and whether that did not.
func (s *silenceCounter) tick(heard uint64) (ask, silent bool) {
	if heard != s.received {
		*s = silenceCounter{received: heard}
		return false, false
	}
	if s.ticks++; s.ticks < silentTicks {
		return false, false
	}
	s.ticks = 0
	return !s.probed, s.probed
}

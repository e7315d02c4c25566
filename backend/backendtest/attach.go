package backendtest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// A message that is published after Attach returned arrives; no waiting is needed.
func attachDelivers(e *env) {
	e.concurrently(32, func(i int) error {
		r := e.room(hundred)
		if i%2 == 0 {
			r.keep = hub.Retention{}
		}
		if err := e.b.Attach(e.t.Context(), r.channel, r.keep); err != nil {
			return err
		}
		m, _, err := r.try(e.t.Context(), "")
		if err != nil {
			return err
		}
		if !e.sink.await(r.channel, func(ms []*hub.Message) bool { return index(ms, m) >= 0 }) {
			return fmt.Errorf("room %d: the message did not arrive", i)
		}
		return nil
	})
}

func attachEpoch(e *env) {
	r := e.attached(hundred)
	epoch := r.newest(0).Top.Epoch
	if epoch == "" {
		e.t.Fatal("an attached room has no epoch")
	}
	r.attach()
	if m := r.publish(1)[0]; m.Position.Epoch != epoch {
		e.t.Errorf("the first message is of epoch %q, the room was at %q", m.Position.Epoch, epoch)
	}
	if other := e.attached(hundred).newest(0).Top.Epoch; other == epoch {
		e.t.Error("two rooms have one epoch")
	}
}

func attachCounts(e *env) {
	for _, keep := range []hub.Retention{hundred, {}} {
		r := e.attached(keep)
		r.attach()
		r.attach()
		e.b.Detach(r.channel)
		e.b.Detach(r.channel)
		sent := r.publish(3)
		expect(e.t, r.wait(3), sent)
	}
}

// A Detach may overtake the Attach it belongs to.
func attachLate(e *env) {
	for _, keep := range []hub.Retention{hundred, {}} {
		r := e.room(keep)
		e.b.Detach(r.channel)
		r.attach()
		r.attach()
		m := r.publish(1)[0]
		if !e.sink.await(r.channel, func(ms []*hub.Message) bool { return index(ms, m) >= 0 }) {
			e.t.Error("the message did not arrive")
		}
	}
}

// A room whose last connection left keeps its position.
func attachAgain(e *env) {
	r := e.attached(hundred)
	sent := r.publish(2)
	e.b.Detach(r.channel)
	sent = append(sent, r.publish(2)...)
	r.attach()
	sent = append(sent, r.publish(2)...)
	contiguous(e.t, sent, 1)
	expect(e.t, r.newest(10).Messages, sent)
	last := sent[len(sent)-1]
	if !e.sink.await(r.channel, func(ms []*hub.Message) bool { return index(ms, last) >= 0 }) {
		e.t.Error("messages after the return did not arrive")
	}
}

func attachCancelled(e *env) {
	r := e.attached(hundred)
	ctx, cancel := context.WithCancel(e.t.Context())
	cancel()
	if err := e.b.Attach(ctx, r.channel, r.keep); !errors.Is(err, context.Canceled) {
		e.t.Errorf("attach with a cancelled context: %v", err)
	}
	sent := r.publish(1)
	expect(e.t, r.wait(1), sent)
}

// Many attach to one room and detach; each gets what was published in between.
func attachConcurrently(e *env) {
	for _, keep := range []hub.Retention{hundred, {}} {
		r := e.room(keep)
		e.concurrently(6, func(i int) error {
			for n := range 20 {
				if err := e.b.Attach(e.t.Context(), r.channel, r.keep); err != nil {
					return err
				}
				m, _, err := r.try(e.t.Context(), "")
				if err != nil {
					return err
				}
				if !e.sink.await(r.channel, func(ms []*hub.Message) bool { return index(ms, m) >= 0 }) {
					return fmt.Errorf("visit %d of %d: the message did not arrive", n, i)
				}
				e.b.Detach(r.channel)
			}
			return nil
		})
	}
}

// Every subscription goes from history to live like this: it attaches and reads the
// position, and the sink brings everything after it.
func attachWhilePublishing(e *env) {
	for range 10 {
		r := e.room(hub.Retention{Size: 1000})
		var top atomic.Uint64
		e.concurrently(3, func(i int) error {
			if i > 0 {
				for range 50 {
					if _, _, err := r.try(e.t.Context(), ""); err != nil {
						return err
					}
				}
				return nil
			}
			if err := e.b.Attach(e.t.Context(), r.channel, r.keep); err != nil {
				return err
			}
			page, err := e.b.History(e.t.Context(), r.channel, r.keep, hub.HistoryQuery{})
			top.Store(page.Top.Offset)
			return err
		})
		last := r.publish(1)[0].Position.Offset
		complete := func(ms []*hub.Message) bool {
			next := top.Load() + 1
			for _, m := range ms {
				if m.Position.Offset == next {
					next++
				}
			}
			return next == last+1
		}
		if !e.sink.await(r.channel, complete) {
			e.t.Fatalf("of the messages from %d to %d some did not arrive: %s", top.Load()+1, last, offsets(e.sink.messages(r.channel)))
		}
	}
}

// The broadcast itself may close a connection that can not take a message, and that
// connection may be the last one of its room.
func detachInBroadcast(e *env) {
	for _, keep := range []hub.Retention{hundred, {}} {
		r := e.room(keep)
		e.sink.setDuring(func(channel string) {
			if channel == r.channel {
				e.b.Detach(channel)
			}
		})
		r.attach()
		r.publish(1)
		r.wait(1)
		e.sink.setDuring(nil)
		r.attach()
		m := r.publish(1)[0]
		if !e.sink.await(r.channel, func(ms []*hub.Message) bool { return index(ms, m) >= 0 }) {
			e.t.Error("a message after the return did not arrive")
		}
	}
}

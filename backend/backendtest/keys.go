package backendtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// first publishes a message with a new key.
func (r *room) first(key string) *hub.Message {
	r.t.Helper()
	m, p, err := r.try(r.t.Context(), key)
	if err != nil || p.Duplicate || p.Position != m.Position {
		r.t.Fatalf("the first message with a key: %+v at %+v, %v", p, m.Position, err)
	}
	return m
}

// again returns a repeat of a message, as a client sends it after a reconnect.
func again(m *hub.Message) *hub.Message {
	c := &hub.Message{
		Channel: m.Channel, Content: bytes.Clone(m.Content), Event: m.Event, Sender: "another",
		Time: m.Time.Add(time.Second), Direct: m.Direct,
	}
	if m.Position.Anchor != 0 {
		c.Position.Anchor = m.Position.Anchor + 1 // the hub's anchors have the time in them
	}
	return c
}

// repeat publishes a message again with its known key, and expects the position of the
// first one.
func (r *room) repeat(key string, first *hub.Message, at hub.Position) {
	r.t.Helper()
	m := again(first)
	before := *m
	p, err := r.b.Publish(r.t.Context(), m, hub.PublishOptions{Retention: r.keep, Key: key})
	if err != nil || !p.Duplicate || p.Position != at {
		r.t.Errorf("a repeat: %+v, %v, want a duplicate of %+v", p, err, at)
	}
	if m.Position != before.Position {
		r.t.Errorf("a repeat was given the position %+v", m.Position)
	}
}

func keyRepeats(e *env) {
	r := e.attached(hundred)
	a := r.first("a")
	b := r.first("b")
	r.repeat("a", a, a.Position)
	c := r.publish(1)[0]
	r.repeat("b", b, b.Position)
	r.repeat("a", a, a.Position)
	expect(e.t, r.fence(), []*hub.Message{a, b, c})
	expect(e.t, r.newest(100).Messages[:3], []*hub.Message{a, b, c})
}

func keyConcurrently(e *env) {
	const publishers, keys = 8, 20
	r := e.attached(hundred)
	var messages [keys]*hub.Message
	for k := range messages {
		messages[k] = r.message()
	}
	var firsts, offsets [keys]atomic.Uint64
	e.concurrently(publishers, func(int) error {
		for k := range keys {
			p, err := r.b.Publish(e.t.Context(), again(messages[k]), hub.PublishOptions{Retention: r.keep, Key: fmt.Sprint("key-", k)})
			if err != nil {
				return err
			}
			if !p.Duplicate {
				firsts[k].Add(1)
			}
			if !offsets[k].CompareAndSwap(0, p.Position.Offset) && offsets[k].Load() != p.Position.Offset {
				return fmt.Errorf("key %d: offset %d and %d", k, p.Position.Offset, offsets[k].Load())
			}
		}
		return nil
	})
	for k := range firsts {
		if n := firsts[k].Load(); n != 1 {
			e.t.Errorf("key %d: %d messages were the first", k, n)
		}
	}
	before := r.fence()
	if len(before) != keys {
		e.t.Fatalf("%d messages arrived, want %d", len(before), keys)
	}
	contiguous(e.t, before, 1)
}

func keyOfChannel(e *env) {
	r, other := e.attached(hundred), e.attached(hundred)
	a := r.first("key")
	b := other.first("key")
	r.repeat("key", a, a.Position)
	other.repeat("key", b, b.Position)
	expect(e.t, r.fence(), []*hub.Message{a})
	expect(e.t, other.fence(), []*hub.Message{b})
}

func keyEphemeral(e *env) {
	r := e.attached(hub.Retention{})
	a := r.first("a")
	r.repeat("a", a, hub.Position{})
	b := r.first("b")
	r.repeat("a", a, hub.Position{})
	expect(e.t, r.fence(), []*hub.Message{a, b})

	unattached := e.room(hub.Retention{})
	unattached.repeat("a", unattached.first("a"), hub.Position{})
}

// The keys of some rooms cost other rooms neither messages nor their latest keys.
func keyMany(e *env) {
	const publishers, keys, rooms = 4, 500, 10
	kept := e.attached(hundred)
	sent := []*hub.Message{kept.first("key")}
	sent = append(sent, kept.publish(9)...)
	e.concurrently(publishers, func(p int) error {
		var others [rooms]*room
		for i := range others {
			others[i] = e.room(hub.Retention{})
		}
		for k := range keys {
			r, key := others[k%rooms], fmt.Sprint("key-", k)
			m, first, err := r.try(e.t.Context(), key)
			if err != nil || first.Duplicate {
				return fmt.Errorf("publisher %d, key %d: %+v, %v", p, k, first, err)
			}
			second, err := r.b.Publish(e.t.Context(), again(m), hub.PublishOptions{Retention: r.keep, Key: key})
			if err != nil || !second.Duplicate {
				return fmt.Errorf("publisher %d, key %d again: %+v, %v", p, k, second, err)
			}
		}
		return nil
	})
	expect(e.t, kept.newest(100).Messages, sent)
	kept.repeat("key", sent[0], sent[0].Position)
}

// reuse publishes a message with the key of another one.
func (r *room) reuse(key string, m *hub.Message) {
	r.t.Helper()
	before := *m
	p, err := r.b.Publish(r.t.Context(), m, hub.PublishOptions{Retention: r.keep, Key: key})
	if !errors.Is(err, hub.ErrKeyReused) || p != (hub.Published{}) {
		r.t.Errorf("another message with the key: %+v, %v", p, err)
	}
	if m.Position != before.Position {
		r.t.Errorf("it was given the position %+v", m.Position)
	}
}

// A key is for one message: another message with the key is rejected, and not taken for a
// repeat.
func keyReused(e *env) {
	for _, keep := range []hub.Retention{hundred, {}} {
		r := e.attached(keep)
		first := r.first("key")
		at := first.Position
		r.reuse("key", r.message())
		event, empty := again(first), again(first)
		event.Event, empty.Content = "another", nil
		r.reuse("key", event)
		r.reuse("key", empty)
		r.repeat("key", first, at)
		r.first("key of its own")
		expect(e.t, r.fence()[:1], []*hub.Message{first})
		if n := len(r.sink.messages(r.channel)); n != 3 {
			e.t.Errorf("%d messages arrived", n)
		}
	}
}

// A key is known, even if its message has no position any more because the room started or
// ended its history since.
func keyOfAnotherRetention(e *env) {
	for _, keep := range []hub.Retention{hundred, {}} {
		r := e.attached(keep)
		first := r.first("key")
		if keep.Size > 0 {
			r.keep = hub.Retention{}
		} else {
			r.keep = hundred
		}
		p, err := r.b.Publish(e.t.Context(), again(first), hub.PublishOptions{Retention: r.keep, Key: "key"})
		if err != nil || !p.Duplicate {
			e.t.Errorf("a repeat: %+v, %v", p, err)
		}
		expect(e.t, r.fence(), []*hub.Message{first})
	}
}

// A message that was not published does not use up its key.
func keyCancelled(e *env) {
	ctx, cancel := context.WithCancel(e.t.Context())
	cancel()
	r := e.attached(hundred)
	if _, _, err := r.try(ctx, "key"); !errors.Is(err, context.Canceled) {
		e.t.Errorf("publish with a cancelled context: %v", err)
	}
	r.first("key")
}

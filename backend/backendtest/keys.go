package backendtest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// first publishes with a key that is new.
func (r *room) first(key string) *hub.Message {
	r.t.Helper()
	m, p, err := r.try(r.t.Context(), key)
	if err != nil || p.Duplicate || p.Position != m.Position {
		r.t.Fatalf("the first message with a key: %+v at %+v, %v", p, m.Position, err)
	}
	return m
}

// repeat publishes with a key that was used for a message at the position.
func (r *room) repeat(key string, at hub.Position) {
	r.t.Helper()
	m := r.message()
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
	r.repeat("a", a.Position)
	c := r.publish(1)[0]
	r.repeat("b", b.Position)
	r.repeat("a", a.Position)
	expect(e.t, r.fence(), []*hub.Message{a, b, c})
	expect(e.t, r.newest(100).Messages[:3], []*hub.Message{a, b, c})
}

func keyConcurrently(e *env) {
	const publishers, keys = 8, 20
	r := e.attached(hundred)
	var firsts, offsets [keys]atomic.Uint64
	e.concurrently(publishers, func(int) error {
		for k := range keys {
			_, p, err := r.try(e.t.Context(), fmt.Sprint("key-", k))
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
	r.repeat("key", a.Position)
	other.repeat("key", b.Position)
	expect(e.t, r.fence(), []*hub.Message{a})
	expect(e.t, other.fence(), []*hub.Message{b})
}

func keyEphemeral(e *env) {
	r := e.attached(hub.Retention{})
	a := r.first("a")
	r.repeat("a", hub.Position{})
	b := r.first("b")
	r.repeat("a", hub.Position{})
	expect(e.t, r.fence(), []*hub.Message{a, b})

	unattached := e.room(hub.Retention{})
	unattached.first("a")
	unattached.repeat("a", hub.Position{})
}

// Keys of some rooms cost others neither their messages nor their latest keys.
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
			if _, first, err := r.try(e.t.Context(), key); err != nil || first.Duplicate {
				return fmt.Errorf("publisher %d, key %d: %+v, %v", p, k, first, err)
			}
			if _, again, err := r.try(e.t.Context(), key); err != nil || !again.Duplicate {
				return fmt.Errorf("publisher %d, key %d again: %+v, %v", p, k, again, err)
			}
		}
		return nil
	})
	expect(e.t, kept.newest(100).Messages, sent)
	kept.repeat("key", sent[0].Position)
}

// What was not published does not use its key up.
func keyCancelled(e *env) {
	ctx, cancel := context.WithCancel(e.t.Context())
	cancel()
	r := e.attached(hundred)
	if _, _, err := r.try(ctx, "key"); !errors.Is(err, context.Canceled) {
		e.t.Errorf("publish with a cancelled context: %v", err)
	}
	r.first("key")
}

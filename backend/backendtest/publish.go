package backendtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func publishDelivers(e *env) {
	r := e.attached(hundred)
	m := r.message()
	want := m.Position.Anchor
	p, err := e.b.Publish(e.t.Context(), m, hub.PublishOptions{Retention: r.keep})
	if err != nil {
		e.t.Fatal(err)
	}
	if p.Duplicate || p.Degraded || p.Position.Epoch == "" || p.Position.Offset != 1 || p.Position.Anchor != want {
		e.t.Errorf("published: %+v, want the first offset and the anchor %d", p, want)
	}
	if m.Position != p.Position {
		e.t.Errorf("the message is at %+v, published at %+v", m.Position, p.Position)
	}
	expect(e.t, r.wait(1), []*hub.Message{m})
}

// A valid message comes back unchanged from the sink and from the history.
func publishKeepsContent(e *env) {
	r := e.attached(hundred)
	var sent []*hub.Message
	for _, m := range []hub.Message{
		{Content: []byte(`null`)},
		{Content: []byte(`""`), Event: "e", Sender: "s"},
		{Content: []byte(`"a:b|c\u0000\n\"{}"`), Event: "a:b", Sender: "1-0"},
		{Content: []byte(`{"ü":"日本 🎈"}`), Event: "événement", Sender: "Зоя"},
		{Content: []byte("1"), Time: time.UnixMilli(1)},
		{Content: []byte(`{"tags":{}}`), Tags: []byte(`{"team":"red","n":1.5,"ü":true}`)},
		{Content: []byte(`{"except":"1.2"}`), Except: "123.456"},
		{Content: []byte(`1`), Except: "123.456", Tags: []byte(`{"n":1}`)},
		{Content: []byte(`1`), Except: hub.ExceptAny([]string{"a \"b\"", "c"}), Tags: []byte(`{"n":1}`)},
		{Content: fmt.Appendf(nil, `"%s"`, bytes.Repeat([]byte("x"), 1<<18))},
	} {
		m.Channel, m.Position.Anchor = r.channel, anchor(m.Content)
		if m.Time.IsZero() {
			m.Time = time.Now()
		}
		if _, err := e.b.Publish(e.t.Context(), &m, hub.PublishOptions{Retention: r.keep}); err != nil {
			e.t.Fatal(err)
		}
		sent = append(sent, &m)
	}
	expect(e.t, r.wait(len(sent)), sent)
	expect(e.t, r.newest(100).Messages, sent)
}

func publishOrder(e *env) {
	r := e.attached(hundred)
	sent := r.publish(100)
	contiguous(e.t, sent, 1)
	expect(e.t, r.wait(100), sent)
}

// With several publishers each message has its own offset, the offsets have no hole, and
// sink and history agree on them.
func publishConcurrently(e *env) {
	const publishers, each = 8, 40
	r := e.attached(hub.Retention{Size: publishers * each, TTL: time.Hour})
	var mu sync.Mutex
	var sent []*hub.Message
	e.concurrently(publishers, func(i int) error {
		var last uint64
		for range each {
			m, p, err := r.try(e.t.Context(), "")
			if err != nil {
				return err
			}
			if p.Position.Offset <= last {
				return fmt.Errorf("publisher %d: offset %d was given after %d", i, p.Position.Offset, last)
			}
			last = p.Position.Offset
			mu.Lock()
			sent = append(sent, m)
			mu.Unlock()
		}
		return nil
	})
	slices.SortFunc(sent, func(a, b *hub.Message) int { return int(a.Position.Offset) - int(b.Position.Offset) })
	contiguous(e.t, sent, 1)
	expect(e.t, r.wait(len(sent)), sent)
	expect(e.t, r.newest(len(sent)).Messages, sent)
}

func publishRoomsApart(e *env) {
	const rooms = 20
	e.concurrently(rooms, func(int) error {
		r := e.room(hundred)
		if err := e.b.Attach(e.t.Context(), r.channel, r.keep); err != nil {
			return err
		}
		for want := uint64(1); want <= 10; want++ {
			if _, p, err := r.try(e.t.Context(), ""); err != nil || p.Position.Offset != want {
				return fmt.Errorf("published at %+v (%v), want offset %d", p.Position, err, want)
			}
		}
		if !e.sink.await(r.channel, func(ms []*hub.Message) bool { return len(ms) == 10 }) {
			return fmt.Errorf("%d of 10 messages arrived", len(e.sink.messages(r.channel)))
		}
		return nil
	})
}

// A room without attachments keeps its history, too.
func publishUnattached(e *env) {
	r := e.room(hundred)
	sent := r.publish(3)
	contiguous(e.t, sent, 1)
	r.attach()
	sent = append(sent, r.publish(1)...)
	contiguous(e.t, sent, 1)
	expect(e.t, r.newest(10).Messages, sent)
}

func publishCancelled(e *env) {
	ctx, cancel := context.WithCancel(e.t.Context())
	cancel()
	for _, keep := range []hub.Retention{hundred, {}} {
		r := e.attached(keep)
		if _, _, err := r.try(ctx, ""); !errors.Is(err, context.Canceled) {
			e.t.Errorf("publish with a cancelled context: %v", err)
		}
		if before := r.fence(); len(before) != 0 {
			e.t.Errorf("%d messages were sent", len(before))
		}
		if keep.Size > 0 && len(r.newest(10).Messages) != 1 {
			e.t.Error("the message was stored")
		}
	}
}

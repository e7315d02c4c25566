package backendtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"hash/fnv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// env is what one test works with.
type env struct {
	t    *testing.T
	b    hub.Broker
	sink *recorder

	serial atomic.Int64 // of the messages, so that no two are alike
}

// room is a channel that nobody used before, with the retention of its calls.
type room struct {
	*env
	channel string
	keep    hub.Retention
}

var hundred = hub.Retention{Size: 100, TTL: time.Hour}

func (e *env) room(keep hub.Retention) *room {
	return &room{env: e, channel: "contract:" + strings.ToLower(rand.Text()), keep: keep}
}

// attached returns a new room that is attached.
func (e *env) attached(keep hub.Retention) *room {
	r := e.room(keep)
	r.attach()
	return r
}

func (r *room) attach() {
	r.t.Helper()
	if err := r.b.Attach(r.t.Context(), r.channel, r.keep); err != nil {
		r.t.Fatalf("attach: %v", err)
	}
}

// message returns a message that differs from all others.
func (r *room) message() *hub.Message {
	content := fmt.Appendf(nil, `{"serial":%d}`, r.serial.Add(1))
	return &hub.Message{
		Channel:  r.channel,
		Content:  content,
		Event:    "event",
		Sender:   "sender",
		Time:     time.Now().Truncate(time.Millisecond),
		Position: hub.Position{Anchor: anchor(content)},
	}
}

// anchor hashes a content as a hub does. It is never 0.
func anchor(content []byte) uint32 {
	h := fnv.New32a()
	h.Write(content)
	return h.Sum32() | 1
}

// try publishes a new message. Any goroutine may call it.
func (r *room) try(ctx context.Context, key string) (*hub.Message, hub.Published, error) {
	m := r.message()
	p, err := r.b.Publish(ctx, m, hub.PublishOptions{Retention: r.keep, Key: key})
	if err == nil && p.Degraded {
		err = fmt.Errorf("publish was degraded")
	}
	return m, p, err
}

// publish publishes n new messages.
func (r *room) publish(n int) []*hub.Message {
	r.t.Helper()
	var sent []*hub.Message
	for range n {
		m, p, err := r.try(r.t.Context(), "")
		switch {
		case err != nil:
			r.t.Fatalf("publish: %v", err)
		case p.Duplicate:
			r.t.Fatalf("a message without a key is a duplicate")
		case p.Position != m.Position:
			r.t.Fatalf("published at %+v, and the message says %+v", p.Position, m.Position)
		}
		sent = append(sent, m)
	}
	return sent
}

// wait returns the messages of the room when n have arrived.
func (r *room) wait(n int) []*hub.Message {
	r.t.Helper()
	if !r.sink.await(r.channel, func(ms []*hub.Message) bool { return len(ms) >= n }) {
		r.t.Fatalf("%d of %d messages arrived", len(r.sink.messages(r.channel)), n)
	}
	return r.sink.messages(r.channel)
}

// fence publishes one more message, waits for it and returns the messages before it.
func (r *room) fence() []*hub.Message {
	r.t.Helper()
	last := r.publish(1)[0]
	var before int
	if !r.sink.await(r.channel, func(ms []*hub.Message) bool { before = index(ms, last); return before >= 0 }) {
		r.t.Fatalf("the last message did not arrive")
	}
	return r.sink.messages(r.channel)[:before]
}

func index(ms []*hub.Message, m *hub.Message) int {
	for i := range ms {
		if bytes.Equal(ms[i].Content, m.Content) {
			return i
		}
	}
	return -1
}

// history reads a page.
func (r *room) history(q hub.HistoryQuery) hub.HistoryPage {
	r.t.Helper()
	page, err := r.b.History(r.t.Context(), r.channel, r.keep, q)
	if err != nil {
		r.t.Fatalf("history: %v", err)
	}
	return page
}

func (r *room) newest(limit int) hub.HistoryPage {
	r.t.Helper()
	return r.history(hub.HistoryQuery{Limit: limit})
}

func (r *room) since(p hub.Position, limit int) hub.HistoryPage {
	r.t.Helper()
	return r.history(hub.HistoryQuery{Since: &p, Limit: limit})
}

// expect compares messages with those that were sent, field by field.
func expect(t *testing.T, got, want []*hub.Message) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d: %s, want %s", len(got), len(want), offsets(got), offsets(want))
	}
	for i := range want {
		g, w := *got[i], *want[i]
		if g.Time.UnixMilli() != w.Time.UnixMilli() {
			t.Errorf("message %d: time %v, want %v", i, g.Time, w.Time)
		}
		if g.Channel != w.Channel || !bytes.Equal(g.Content, w.Content) || !bytes.Equal(g.Tags, w.Tags) || g.Event != w.Event || g.Sender != w.Sender || g.Except != w.Except || g.Position != w.Position || !sameDirect(g.Direct, w.Direct) {
			t.Errorf("message %d: %+v, want %+v", i, short(g), short(w))
		}
	}
}

func sameDirect(a, b *hub.Direct) bool { return a == b || a != nil && b != nil && *a == *b }

// short is a message for people to read.
func short(m hub.Message) string {
	return fmt.Sprintf("{%.60q %s %q %q %+v}", m.Content, m.Tags, m.Event, m.Sender, m.Position)
}

func offsets(ms []*hub.Message) string {
	var b strings.Builder
	for _, m := range ms {
		fmt.Fprintf(&b, "%d ", m.Position.Offset)
	}
	return "[" + strings.TrimSpace(b.String()) + "]"
}

// contiguous checks that the offsets follow each other in one epoch, from first on.
func contiguous(t *testing.T, ms []*hub.Message, first uint64) {
	t.Helper()
	for i, m := range ms {
		if m.Position.Epoch != ms[0].Position.Epoch || m.Position.Offset != first+uint64(i) {
			t.Fatalf("message %d is at %+v, want offset %d: %s", i, m.Position, first+uint64(i), offsets(ms))
		}
	}
}

// concurrently runs n goroutines and reports their errors.
func (e *env) concurrently(n int, work func(i int) error) {
	e.t.Helper()
	errs := make(chan error)
	for i := range n {
		go func() { errs <- work(i) }()
	}
	for range n {
		if err := <-errs; err != nil {
			e.t.Error(err)
		}
	}
	if e.t.Failed() {
		e.t.FailNow()
	}
}

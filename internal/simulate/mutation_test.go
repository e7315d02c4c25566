package simulate

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// mutation is a promise that the wrappers break.
type mutation uint8

const (
	none           mutation = iota
	dropDelivery            // a message reaches nobody
	doubleDelivery          // a message is delivered twice
	swapDeliveries          // two messages change their places
	sameOffset              // a message gets the offset of the one before
	keepEpoch               // a log that was lost goes on in its old epoch
	hole                    // a message is missing in what is recovered
	falseRecovery           // lost messages are not said to be lost
	forgetKey               // a repeated message is published again
	earlyAck                // a message is acknowledged before its commit
	noGrace                 // a member leaves as soon as its connection ends
	ghost                   // a member never leaves
	doubleChange            // a change of a document is made twice
	lateDelivery            // a message arrives after `unsubscribed`
	mutations
)

var mutationNames = [mutations]string{
	"none", "drop a delivery", "deliver twice", "swap two", "give an offset twice", "keep an epoch after a loss",
	"leave a hole in a recovery", "recover what is lost", "forget a key", "acknowledge before the commit",
	"forget a grace", "keep a ghost", "make a change twice", "deliver after unsubscribe",
}

// faults puts the wrappers between the parts of a node. Without a mutation they do nothing.
type faults struct {
	mutation mutation
	log      *slog.Logger

	mu sync.Mutex
	// Guarded by mu.
	count   int
	held    map[string]*hub.Message
	epochs  map[string]string // the first one of each channel
	tops    map[string]uint64 // for earlyAck
	promise map[string]bool   // keys that earlyAck has acknowledged
	last    map[*link][]byte  // the last line of a message
}

func (f *faults) is(m mutation) bool { return f.mutation == m }

// every reports whether this is the n-th time.
func (f *faults) every(n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	return f.count%n == 0
}

// restarted forgets what belongs to a node.
func (f *faults) restarted() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held, f.tops, f.promise = nil, nil, nil
}

// sink stands between a broker and a hub.
func (f *faults) sink(s hub.Sink) hub.Sink {
	if f.is(none) {
		return s
	}
	return faultySink{s, f}
}

type faultySink struct {
	hub.Sink
	f *faults
}

func (s faultySink) Broadcast(channel string, ms ...*hub.Message) {
	for _, m := range ms {
		for _, m := range s.f.deliveries(channel, m) {
			s.Sink.Broadcast(channel, m)
		}
	}
}

// deliveries returns what is delivered in place of a message.
func (f *faults) deliveries(channel string, m *hub.Message) []*hub.Message {
	switch f.mutation {
	case dropDelivery:
		if f.every(7) {
			return nil
		}
	case doubleDelivery:
		if f.every(7) {
			return []*hub.Message{m, m}
		}
	case swapDeliveries:
		return f.swapped(channel, m)
	case sameOffset:
		if m.Position.Offset%5 == 4 {
			return []*hub.Message{moved(m, m.Position.Epoch, m.Position.Offset-1)}
		}
	case keepEpoch:
		return []*hub.Message{f.rename(m)}
	}
	return []*hub.Message{m}
}

func (f *faults) swapped(channel string, m *hub.Message) []*hub.Message {
	again := f.every(5)
	f.mu.Lock()
	defer f.mu.Unlock()
	if first := f.held[channel]; first != nil {
		delete(f.held, channel)
		return []*hub.Message{m, first}
	}
	if !again {
		return []*hub.Message{m}
	}
	if f.held == nil {
		f.held = make(map[string]*hub.Message)
	}
	f.held[channel] = m
	return nil
}

// moved returns a message at another place.
func moved(m *hub.Message, epoch string, offset uint64) *hub.Message {
	return &hub.Message{
		Channel: m.Channel, Content: m.Content, Event: m.Event, Sender: m.Sender, Tags: m.Tags, Time: m.Time,
		Position: hub.Position{Epoch: epoch, Offset: offset}, Direct: m.Direct, Except: m.Except, Volatile: m.Volatile,
	}
}

// rename gives a message the first epoch that its channel had.
func (f *faults) rename(m *hub.Message) *hub.Message {
	if m.Position.IsZero() {
		return m
	}
	return moved(m, f.epoch(m.Channel, m.Position.Epoch), m.Position.Offset)
}

func (f *faults) epoch(channel, now string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.epochs == nil {
		f.epochs = make(map[string]string)
	}
	if f.epochs[channel] == "" {
		f.epochs[channel] = now
	}
	return f.epochs[channel]
}

// broker stands between a hub and a broker.
func (f *faults) broker(b hub.Broker) hub.Broker {
	if f.is(none) {
		return b
	}
	return &faultyBroker{b, f}
}

type faultyBroker struct {
	hub.Broker
	f *faults
}

func (b *faultyBroker) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	switch b.f.mutation {
	case forgetKey:
		o.Key = ""
	case earlyAck:
		if o.Retention.Size > 0 && b.f.first(o.Key) {
			return b.early(ctx, m, o)
		}
	case keepEpoch:
		p, err := b.Broker.Publish(ctx, m, o)
		if !p.Position.IsZero() {
			p.Position = hub.Position{Epoch: b.f.epoch(m.Channel, p.Position.Epoch), Offset: p.Position.Offset}
		}
		return p, err
	}
	return b.Broker.Publish(ctx, m, o)
}

// first reports whether a key comes for the first time.
func (f *faults) first(key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.promise == nil {
		f.promise = make(map[string]bool)
	}
	again := f.promise[key]
	f.promise[key] = true
	return !again
}

// early acknowledges a message with the position that it will have.
func (b *faultyBroker) early(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	page, err := b.Broker.History(ctx, m.Channel, o.Retention, hub.HistoryQuery{})
	if err != nil {
		return hub.Published{}, err
	}
	b.f.mu.Lock()
	if b.f.tops == nil {
		b.f.tops = make(map[string]uint64)
	}
	top := max(b.f.tops[m.Channel], page.Top.Offset) + 1
	b.f.tops[m.Channel] = top
	b.f.mu.Unlock()
	go func() { _, _ = b.Broker.Publish(context.WithoutCancel(ctx), m, o) }()
	return hub.Published{Position: hub.Position{Epoch: page.Top.Epoch, Offset: top}}, nil
}

func (b *faultyBroker) History(ctx context.Context, channel string, r hub.Retention, q hub.HistoryQuery) (hub.HistoryPage, error) {
	since := q.Since
	if b.f.is(keepEpoch) && since != nil {
		now, err := b.Broker.History(ctx, channel, r, hub.HistoryQuery{})
		if err != nil {
			return now, err
		}
		q.Since = &hub.Position{Epoch: now.Top.Epoch, Offset: min(since.Offset, now.Top.Offset)}
	}
	page, err := b.Broker.History(ctx, channel, r, q)
	if err != nil {
		return page, err
	}
	switch n := len(page.Messages); {
	case b.f.is(keepEpoch):
		b.f.renamePage(channel, &page)
	case since == nil:
	case b.f.is(hole) && n > 2:
		page.Messages = append(page.Messages[:1:1], page.Messages[2:]...)
	case b.f.is(falseRecovery) && page.Lost:
		page.Lost = false
	}
	return page, nil
}

func (f *faults) renamePage(channel string, p *hub.HistoryPage) {
	if !p.Top.IsZero() {
		p.Top = hub.Position{Epoch: f.epoch(channel, p.Top.Epoch), Offset: p.Top.Offset}
	}
	all := make([]*hub.Message, len(p.Messages))
	for i, m := range p.Messages {
		all[i] = f.rename(m)
	}
	p.Messages = all
}

// membersOf stands between a tracker and its store.
func (f *faults) membersOf(s presence.Store) presence.Store {
	if !f.is(ghost) {
		return s
	}
	return faultyMembers{s, f}
}

type faultyMembers struct {
	presence.Store
	f *faults
}

func (s faultyMembers) Leave(ctx context.Context, channel string, ds []presence.Departure) error {
	if s.f.every(2) {
		return nil
	}
	return s.Store.Leave(ctx, channel, ds)
}

// documents stands between a service and its store.
func (f *faults) documents(s document.Store) document.Store {
	if !f.is(doubleChange) {
		return s
	}
	return faultyDocuments{s, f}
}

type faultyDocuments struct {
	document.Store
	f *faults
}

func (s faultyDocuments) Commit(ctx context.Context, channel string, c document.Commit) (document.Committed, error) {
	done, err := s.Store.Commit(ctx, channel, c)
	if err != nil || done.Version == 0 || done.Duplicate || !s.f.every(3) {
		return done, err
	}
	c.Entry.Key += " again"
	c.Entry.Version++
	c.After = 0
	c.Snapshot = nil
	_, _ = s.Store.Commit(ctx, channel, c)
	return done, nil
}

// line stands before a client: it returns the lines that arrive in place of one.
func (f *faults) line(c *client, line []byte) [][]byte {
	if !f.is(lateDelivery) {
		return [][]byte{line}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == nil {
		f.last = make(map[*link][]byte)
	}
	switch {
	case bytes.HasPrefix(line, []byte(`{"type":"message"`)):
		f.last[c.link] = bytes.Clone(line)
	case bytes.HasPrefix(line, []byte(`{"type":"unsubscribed"`)) && f.last[c.link] != nil && sameChannel(line, f.last[c.link]):
		return [][]byte{line, f.last[c.link]}
	}
	return [][]byte{line}
}

// sameChannel reports whether two envelopes are of one channel.
func sameChannel(a, b []byte) bool {
	channel := func(line []byte) string {
		_, after, _ := strings.Cut(string(line), `"channel":"`)
		name, _, _ := strings.Cut(after, `"`)
		return name
	}
	return channel(a) == channel(b)
}

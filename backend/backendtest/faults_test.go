package backendtest_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// wrapped is a broker with some of its methods replaced.
type wrapped struct {
	hub.Broker
	publish func(context.Context, *hub.Message, hub.PublishOptions) (hub.Published, error)
	attach  func(context.Context, string, hub.Retention) error
	detach  func(string)
	history func(context.Context, string, hub.Retention, hub.HistoryQuery) (hub.HistoryPage, error)
	close   func() error
}

func (w *wrapped) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	if w.publish != nil {
		return w.publish(ctx, m, o)
	}
	return w.Broker.Publish(ctx, m, o)
}

func (w *wrapped) Attach(ctx context.Context, channel string, r hub.Retention) error {
	if w.attach != nil {
		return w.attach(ctx, channel, r)
	}
	return w.Broker.Attach(ctx, channel, r)
}

func (w *wrapped) Detach(channel string) {
	if w.detach != nil {
		w.detach(channel)
		return
	}
	w.Broker.Detach(channel)
}

func (w *wrapped) History(ctx context.Context, channel string, r hub.Retention, q hub.HistoryQuery) (hub.HistoryPage, error) {
	if w.history != nil {
		return w.history(ctx, channel, r, q)
	}
	return w.Broker.History(ctx, channel, r, q)
}

func (w *wrapped) Close() error {
	if w.close != nil {
		w.close()
		return nil
	}
	return w.Broker.Close()
}

// sinkFunc is a sink that changes what arrives.
type sinkFunc func(channel string, m *hub.Message)

func (f sinkFunc) Broadcast(channel string, ms ...*hub.Message) {
	for _, m := range ms {
		f(channel, m)
	}
}

func behind(sink hub.Sink) *wrapped {
	return &wrapped{Broker: memory.New(sink, memory.Options{})}
}

// fault is a way to be wrong, and the tests that have to notice.
type fault struct {
	broker func(sink hub.Sink) hub.Broker
	found  []string
}

// pages makes a fault of what History answers.
func pages(change func(r *hub.Retention, q *hub.HistoryQuery) func(*hub.HistoryPage)) func(hub.Sink) hub.Broker {
	return func(sink hub.Sink) hub.Broker {
		w := behind(sink)
		w.history = func(ctx context.Context, channel string, r hub.Retention, q hub.HistoryQuery) (hub.HistoryPage, error) {
			after := change(&r, &q)
			p, err := w.Broker.History(ctx, channel, r, q)
			if after != nil {
				after(&p)
			}
			return p, err
		}
		return w
	}
}

// answers makes a fault of a page alone.
func answers(change func(*hub.HistoryPage)) func(hub.Sink) hub.Broker {
	return pages(func(*hub.Retention, *hub.HistoryQuery) func(*hub.HistoryPage) { return change })
}

// deliveries makes a fault of what the sink gets.
func deliveries(change func(sink hub.Sink) sinkFunc) func(hub.Sink) hub.Broker {
	return func(sink hub.Sink) hub.Broker { return behind(change(sink)) }
}

// publishes makes a fault of what Publish is asked for.
func publishes(change func(*hub.PublishOptions)) func(hub.Sink) hub.Broker {
	return func(sink hub.Sink) hub.Broker {
		w := behind(sink)
		w.publish = func(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
			change(&o)
			return w.Broker.Publish(ctx, m, o)
		}
		return w
	}
}

var faults = map[string]fault{
	"loses a message": {deliveries(func(sink hub.Sink) sinkFunc {
		n := 0
		return func(channel string, m *hub.Message) {
			if n++; n%7 != 0 {
				sink.Broadcast(channel, m)
			}
		}
	}), []string{"PublishOrder", "EphemeralDelivers"}},

	"delivers twice": {deliveries(func(sink hub.Sink) sinkFunc {
		return func(channel string, m *hub.Message) { sink.Broadcast(channel, m, m) }
	}), []string{"PublishOrder", "EphemeralDelivers", "KeyEphemeral"}},

	"swaps messages": {deliveries(func(sink hub.Sink) sinkFunc {
		var held *hub.Message
		return func(channel string, m *hub.Message) {
			if held == nil {
				held = m
				return
			}
			sink.Broadcast(channel, m, held)
			held = nil
		}
	}), []string{"PublishOrder", "EphemeralDelivers"}},

	"mixes channels up": {deliveries(func(sink hub.Sink) sinkFunc {
		return func(_ string, m *hub.Message) { sink.Broadcast("elsewhere", m) }
	}), []string{"PublishDelivers", "PublishRoomsApart"}},

	"forgets the event": {deliveries(func(sink hub.Sink) sinkFunc {
		return func(channel string, m *hub.Message) {
			c := *m
			c.Event = ""
			sink.Broadcast(channel, &c)
		}
	}), []string{"PublishDelivers", "PublishKeepsContent"}},

	"leaves the anchor in": {deliveries(func(sink hub.Sink) sinkFunc {
		return func(channel string, m *hub.Message) {
			c := *m
			c.Position.Anchor = 7
			sink.Broadcast(channel, &c)
		}
	}), []string{"EphemeralDelivers"}},

	"tells all what is for one": {deliveries(func(sink hub.Sink) sinkFunc {
		return func(channel string, m *hub.Message) {
			c := *m
			c.Direct = nil
			sink.Broadcast(channel, &c)
		}
	}), []string{"DirectDelivers"}},
	"forgets what is volatile": {deliveries(func(sink hub.Sink) sinkFunc {
		return func(channel string, m *hub.Message) {
			c := *m
			c.Volatile = false
			sink.Broadcast(channel, &c)
		}
	}), []string{"VolatileDelivers"}},
	"keeps what is for one": {keepsDirect, []string{"DirectPassesByTheLog", "DirectDelivers"}},
	"ends the log for one":  {endsLog, []string{"DirectPassesByTheLog"}},

	"ignores keys":      {publishes(func(o *hub.PublishOptions) { o.Key = "" }), []string{"KeyRepeats", "KeyConcurrently", "KeyEphemeral", "KeyOfChannel", "DirectKey"}},
	"has keys for all":  {keysForAll, []string{"KeyOfChannel"}},
	"does not compare":  {doesNotCompare, []string{"KeyReused", "DirectKey"}},
	"burns keys":        {burnsKeys, []string{"KeyCancelled", "DirectCancelled"}},
	"keeps a dead log":  {keepsDeadLog, []string{"RetentionEnds"}},
	"ignores contexts":  {ignoresContexts, []string{"PublishCancelled", "AttachCancelled", "HistoryCancelled"}},
	"attaches once":     {attachesOnce, []string{"AttachCounts"}},
	"attaches late":     {attachesLate, []string{"AttachDelivers", "AttachWhilePublishing"}},
	"attaches to a new": {attachesToNew, []string{"AttachAgain", "HistoryUnpublished"}},
	"locks on detach":   {locksOnDetach, []string{"DetachInBroadcast"}},
	"does not close":    {doesNotClose, []string{"Close"}},

	"never says lost":     {answers(func(p *hub.HistoryPage) { p.Lost = false }), []string{"HistoryTrimmed", "HistoryOtherEpoch", "HistoryAhead", "HistoryAnchor", "HistoryEmpty", "RetentionShrinks", "RetentionEnds", "RetentionTTL"}},
	"always says lost":    {answers(func(p *hub.HistoryPage) { p.Lost = true }), []string{"HistorySince", "HistoryNewest"}},
	"never says more":     {answers(func(p *hub.HistoryPage) { p.More = false }), []string{"HistoryPages"}},
	"forgets the top":     {answers(func(p *hub.HistoryPage) { p.Top = hub.Position{} }), []string{"HistoryNewest", "HistorySince"}},
	"tells another epoch": {answers(func(p *hub.HistoryPage) { p.Top.Epoch = "zzzzzzzz" }), []string{"AttachEpoch", "HistoryUnpublished"}},
	"has a hole": {answers(func(p *hub.HistoryPage) {
		if len(p.Messages) > 2 {
			p.Messages = append(p.Messages[:1:1], p.Messages[2:]...)
		}
	}), []string{"HistorySince", "HistoryWhilePublishing"}},
	"gives nothing when lost": {answers(func(p *hub.HistoryPage) {
		if p.Lost {
			p.Messages = nil
		}
	}), []string{"HistoryTrimmed"}},
	"does not look at anchors": {pages(func(_ *hub.Retention, q *hub.HistoryQuery) func(*hub.HistoryPage) {
		if q.Since != nil {
			since := *q.Since
			since.Anchor = 0
			q.Since = &since
		}
		return nil
	}), []string{"HistoryAnchor"}},
	"does not look at the limit": {pages(func(_ *hub.Retention, q *hub.HistoryQuery) func(*hub.HistoryPage) {
		q.Limit = 1000
		return nil
	}), []string{"HistoryNewest", "HistoryPages"}},
	"does not look at the size": {pages(func(r *hub.Retention, _ *hub.HistoryQuery) func(*hub.HistoryPage) {
		r.Size = 1000
		return nil
	}), []string{"RetentionShrinks"}},
	"does not expire": {pages(func(r *hub.Retention, _ *hub.HistoryQuery) func(*hub.HistoryPage) {
		r.TTL = 0
		return nil
	}), []string{"RetentionTTL"}},
}

func keysForAll(sink hub.Sink) hub.Broker {
	var mu sync.Mutex
	first := make(map[string]hub.Published)
	w := behind(sink)
	w.publish = func(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
		mu.Lock()
		defer mu.Unlock()
		p, ok := first[o.Key]
		if ok && o.Key != "" {
			p.Duplicate = true
			return p, nil
		}
		p, err := w.Broker.Publish(ctx, m, o)
		first[o.Key] = p
		return p, err
	}
	return w
}

// doesNotCompare takes every message with a known key for a repeat.
func doesNotCompare(sink hub.Sink) hub.Broker {
	w := behind(sink)
	w.publish = func(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
		p, err := w.Broker.Publish(ctx, m, o)
		if errors.Is(err, hub.ErrKeyReused) {
			return hub.Published{Duplicate: true}, nil
		}
		return p, err
	}
	return w
}

// keepsDirect stores a message to one member, but for its addresses.
func keepsDirect(sink hub.Sink) hub.Broker {
	w := behind(sink)
	w.publish = func(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
		m.Direct = nil
		return w.Broker.Publish(ctx, m, o)
	}
	return w
}

// endsLog takes it for a message of a room without history.
func endsLog(sink hub.Sink) hub.Broker {
	w := behind(sink)
	w.publish = func(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
		p, err := w.Broker.Publish(ctx, m, o)
		if err == nil && m.Direct != nil {
			_, err = w.Broker.History(ctx, m.Channel, hub.Retention{}, hub.HistoryQuery{})
		}
		return p, err
	}
	return w
}

func burnsKeys(sink hub.Sink) hub.Broker {
	w := behind(sink)
	w.publish = func(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
		p, err := w.Broker.Publish(context.WithoutCancel(ctx), m, o)
		if ctx.Err() != nil {
			return hub.Published{}, ctx.Err()
		}
		return p, err
	}
	return w
}

func keepsDeadLog(sink hub.Sink) hub.Broker {
	w := behind(sink)
	w.publish = func(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
		if o.Retention.Size > 0 {
			return w.Broker.Publish(ctx, m, o)
		}
		m.Position = hub.Position{}
		sink.Broadcast(m.Channel, m)
		return hub.Published{}, nil
	}
	w.history = func(ctx context.Context, channel string, r hub.Retention, q hub.HistoryQuery) (hub.HistoryPage, error) {
		if r.Size > 0 {
			return w.Broker.History(ctx, channel, r, q)
		}
		return hub.HistoryPage{}, nil
	}
	return w
}

func ignoresContexts(sink hub.Sink) hub.Broker {
	w := behind(sink)
	w.publish = func(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
		return w.Broker.Publish(context.WithoutCancel(ctx), m, o)
	}
	w.attach = func(ctx context.Context, channel string, r hub.Retention) error {
		return w.Broker.Attach(context.WithoutCancel(ctx), channel, r)
	}
	w.history = func(ctx context.Context, channel string, r hub.Retention, q hub.HistoryQuery) (hub.HistoryPage, error) {
		return w.Broker.History(context.WithoutCancel(ctx), channel, r, q)
	}
	return w
}

// attachesOnce delivers to attached rooms only, and does not count.
func attachesOnce(sink hub.Sink) hub.Broker {
	var attached sync.Map
	w := behind(sinkFunc(func(channel string, m *hub.Message) {
		if _, ok := attached.Load(channel); ok {
			sink.Broadcast(channel, m)
		}
	}))
	w.attach = func(ctx context.Context, channel string, r hub.Retention) error {
		attached.Store(channel, true)
		return w.Broker.Attach(ctx, channel, r)
	}
	w.detach = func(channel string) { attached.Delete(channel) }
	return w
}

// attachesLate returns from Attach before messages arrive.
func attachesLate(sink hub.Sink) hub.Broker {
	var attached sync.Map
	w := behind(sinkFunc(func(channel string, m *hub.Message) {
		if at, ok := attached.Load(channel); ok && time.Since(at.(time.Time)) > 50*time.Millisecond {
			sink.Broadcast(channel, m)
		}
	}))
	w.attach = func(ctx context.Context, channel string, r hub.Retention) error {
		attached.LoadOrStore(channel, time.Now())
		return w.Broker.Attach(ctx, channel, r)
	}
	return w
}

func attachesToNew(sink hub.Sink) hub.Broker {
	w := behind(sink)
	w.attach = func(ctx context.Context, channel string, r hub.Retention) error {
		w.Broker.Attach(ctx, channel, hub.Retention{})
		w.Broker.Detach(channel)
		return w.Broker.Attach(ctx, channel, r)
	}
	return w
}

func locksOnDetach(sink hub.Sink) hub.Broker {
	var mu sync.Mutex
	w := behind(sinkFunc(func(channel string, m *hub.Message) {
		mu.Lock()
		defer mu.Unlock()
		sink.Broadcast(channel, m)
	}))
	w.detach = func(channel string) {
		mu.Lock()
		defer mu.Unlock()
		w.Broker.Detach(channel)
	}
	return w
}

func doesNotClose(sink hub.Sink) hub.Broker {
	w := behind(sink)
	w.close = func() error { return nil }
	return w
}

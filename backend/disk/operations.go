package disk

import (
	"context"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// publishing is the operation that publishes a message with a position or a key.
type publishing struct {
	b      *Broker
	placed memory.Placed
	logged bool // the message gets a position
	result hub.Published
	err    error
}

// newPublishing copies the message: a caller whose context ends may go on with its own. The copy
// is made by field, without the offer of the caller to do the broadcast: a room that took the
// offer from the copy would wait for a caller that knows only the original.
func newPublishing(b *Broker, m *hub.Message, o hub.PublishOptions, logged bool) *publishing {
	own := &hub.Message{
		Channel: m.Channel, Content: m.Content, Event: m.Event, Sender: m.Sender, Except: m.Except, Tags: m.Tags, Time: m.Time,
		Position: m.Position, Direct: m.Direct, Volatile: m.Volatile, First: m.First,
	}
	p := &publishing{b: b, placed: memory.Placed{Message: own, Options: o}, logged: logged}
	if o.Key != "" {
		p.placed.Digest = m.Digest()
	}
	return p
}

func (p *publishing) write(w *work) (err error) {
	m, o := p.placed.Message, p.placed.Options
	if p.repeats(w) {
		return nil
	}
	p.placed.Time = time.Now()
	if p.logged {
		r, err := w.room(m.Channel)
		if err == nil && r == nil {
			r, err = w.start(m.Channel, p.epoch(w))
		}
		if err != nil {
			return err
		}
		if p.placed.At, err = w.append(r, m, o.Retention, p.placed.Time); err != nil {
			return err
		}
	}
	p.result.Position = p.placed.At
	m.Position = p.placed.At
	p.b.box.RecordStoring(m)
	if o.Key == "" {
		return nil
	}
	return w.remember(savedKey{m.Channel, o.Key, p.placed.At, p.placed.Digest}, p.placed.Time)
}

// epoch returns the epoch of a log that starts with the message: the one that clients of the
// empty room have. If the same transaction ends the log before, memory still has that one.
func (p *publishing) epoch(w *work) string {
	channel := p.placed.Message.Channel
	if _, ended := w.open[channel]; ended {
		return history.NewEpoch()
	}
	return p.b.memory.Epoch(channel)
}

// repeats reports whether the key of the message is known, and then sets the result.
func (p *publishing) repeats(w *work) (repeats bool) {
	channel, key := p.placed.Message.Channel, p.placed.Options.Key
	if key == "" {
		return false
	}
	k, ok := w.seen[[2]string{channel, key}]
	switch {
	case !ok:
		p.result, repeats, p.err = p.b.memory.FindKey(channel, key, p.placed.Digest)
		return repeats || p.err != nil
	case k.digest != p.placed.Digest:
		p.err = hub.ErrKeyReused
	default:
		p.result = hub.Published{Position: k.at, Duplicate: true}
	}
	return true
}

func (p *publishing) finish(err error) {
	switch {
	case err != nil:
		p.result, p.err = hub.Published{}, err
		return
	case p.err != nil || p.result.Duplicate:
		return
	case p.logged:
		p.b.store.note(p.placed.Message.Channel, true)
	}
	p.err = p.b.memory.Place(p.placed)
}

// ending is the operation that removes a room.
type ending struct {
	b       *Broker
	channel string
	had     bool
	err     error
}

func (e *ending) write(w *work) (err error) {
	e.had, err = w.end(e.channel)
	return err
}

func (e *ending) finish(err error) {
	if e.err = err; err == nil {
		e.b.store.note(e.channel, false)
		if e.had {
			e.b.store.generations.next(e.channel)
			e.b.memory.End(e.channel)
		}
	}
}

// barrier is an operation that does nothing but wait for those before it.
type barrier struct{}

func (barrier) write(*work) error { return nil }
func (barrier) finish(error)      {}

// Purge implements [hub.Purger].
func (b *Broker) Purge(ctx context.Context, channel string, r hub.Retention) (removed int, err error) {
	if err := b.check(ctx); err != nil {
		return 0, err
	}
	p := &purging{b: b, channel: channel, keep: r}
	if err := b.store.do(ctx, p); err != nil {
		return 0, err
	}
	return p.removed, p.err
}

// purging is the operation that removes the messages of a room.
type purging struct {
	b       *Broker
	channel string
	keep    hub.Retention
	removed int
	err     error
}

func (p *purging) write(w *work) error {
	r, err := w.room(p.channel)
	for err == nil && r != nil && r.first <= r.top {
		p.removed++
		err = w.dropFirst(r)
	}
	return err
}

func (p *purging) finish(err error) {
	if err != nil {
		p.removed, p.err = 0, err
		return
	}
	_, p.err = p.b.memory.Purge(context.Background(), p.channel, p.keep)
}

// Redact implements [hub.Redactor].
func (b *Broker) Redact(ctx context.Context, channel string, r hub.Retention, at hub.Position) (found bool, err error) {
	if err := b.check(ctx); err != nil {
		return false, err
	}
	p := &redacting{b: b, channel: channel, keep: r, at: at}
	if err := b.store.do(ctx, p); err != nil {
		return false, err
	}
	return p.found, p.err
}

// redacting is the operation that removes the content of a message.
type redacting struct {
	b       *Broker
	channel string
	keep    hub.Retention
	at      hub.Position
	found   bool
	err     error
}

func (p *redacting) write(w *work) error {
	r, err := w.room(p.channel)
	if err != nil || r == nil || p.at.Epoch != "" && p.at.Epoch != r.epoch || p.at.Offset < r.first || p.at.Offset > r.top {
		return err
	}
	key := place(r.id, p.at.Offset)
	m, stored, err := decodeMessage(w.messages.Get(key), p.channel, r.epoch, p.at.Offset)
	if err != nil {
		return err
	}
	p.found = true
	return w.messages.Put(key, encodeMessage(m.Redacted(), stored))
}

func (p *redacting) finish(err error) {
	if err != nil {
		p.found, p.err = false, err
		return
	}
	if p.found {
		_, p.err = p.b.memory.Redact(context.Background(), p.channel, p.keep, p.at)
	}
}

package redis

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Publish implements [hub.Broker]. Without a key, a publish that fails with
// [hub.ErrUnavailable] may have been executed all the same; with one it was already
// repeated.
func (b *Broker) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	if err := b.checkOpen(ctx); err != nil {
		return hub.Published{}, err
	}
	switch {
	case m.Direct != nil:
		return b.publishDirect(ctx, m, o.Key)
	case o.Retention.Size <= 0:
		return b.publishPlain(ctx, m, o)
	}
	n := b.c.names
	c := &call{
		script:     publishScript,
		keys:       []string{n.meta(m.Channel), n.stream(m.Channel), n.secret()},
		repeatable: o.Key != "",
		secretKey:  n.secret(),
	}
	stream, meta := lifetimes(o.Retention)
	c.args = []any{
		appendMessage(make([]byte, 0, 32+len(m.Event)+len(m.Sender)+len(m.Content)), m),
		strconv.FormatUint(uint64(m.Position.Anchor), 10),
		o.Retention.Size + 1, stream, meta, n.topic(m.Channel), history.NewEpoch(), b.lifetimesKnown(m.Channel, o.Retention),
	}
	if o.Key != "" {
		c.keys = append(c.keys, n.keys(m.Channel)...)
		c.args = append(c.args, o.Key, b.c.o.KeyWindow.Milliseconds(), b.c.o.RoomKeys, b.c.o.Keys)
	}
	b.withoutLog.remove(m.Channel)
	result, err := b.run(ctx, c)
	if err != nil {
		return hub.Published{}, err
	}
	p, err := parsePublished(m, result)
	if err == nil && !p.Duplicate {
		m.Position = p.Position
	}
	return p, err
}

func parsePublished(m *hub.Message, result any) (p hub.Published, err error) {
	reply, ok := result.([]any)
	if !ok || len(reply) != 2 && len(reply) != 3 {
		return p, unexpected(result)
	}
	position, _ := reply[1].(string)
	if len(reply) == 3 {
		return answerRepeated(m, position, reply[2])
	}
	if p.Position, err = parsePosition(position); err != nil {
		return p, unexpected(result)
	}
	return p, nil
}

// lifetimes are how long, in milliseconds, Redis keeps a room's stream and the rest.
// Both are longer than they need be by a tenth, so that not every publish has to say
// them anew.
func lifetimes(keep hub.Retention) (stream, meta int64) {
	long := max(24*time.Hour, 10*keep.TTL)
	if keep.TTL > 0 {
		stream = max(1, (keep.TTL + keep.TTL/10).Milliseconds())
	} else {
		stream = (long + long/10).Milliseconds()
	}
	return stream, (long + long/10).Milliseconds()
}

// refreshed gives 1 if this node told Redis the lifetimes of the room a short while ago.
func (b *Broker) lifetimesKnown(channel string, keep hub.Retention) int {
	if r := b.findRoom(channel); r != nil && !r.needsLifetimes(time.Now(), keep) {
		return 1
	}
	return 0
}

// outlasting is how long, in milliseconds, the epoch of a log is kept that ended or was
// lost: longer than the day in which scripts would give the room its old epoch.
const endedEpochTTL = 26 * 60 * 60 * 1000

// publishDirect sends a message to one member. It leaves the room's log alone.
func (b *Broker) publishDirect(ctx context.Context, m *hub.Message, key string) (hub.Published, error) {
	if first, said := b.local.seenKey(m.Channel, key); said {
		return answerDuplicate(m, first)
	}
	return b.publishUnstored(ctx, m, key)
}

// publishPlain sends a message that needs no position. What Redis does not take is
// delivered on this node alone.
func (b *Broker) publishPlain(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	if first, said := b.local.seenKey(m.Channel, o.Key); said {
		return answerDuplicate(m, first)
	}
	if err := b.endLog(ctx, m.Channel); err != nil && ctx.Err() != nil {
		return hub.Published{}, err
	}
	return b.publishUnstored(ctx, m, o.Key)
}

// relay publishes a message that is not to be stored.
func (b *Broker) publishUnstored(ctx context.Context, m *hub.Message, key string) (hub.Published, error) {
	id := serial{b.c.node, b.serial.Add(1)}
	b.local.startSending(id)
	defer b.local.stopSending(id)
	result, err := b.run(ctx, b.unstoredCall(m, id, key))
	first, said := result.(string)
	switch {
	case err == nil && said && key != "":
		return answerDuplicate(m, parseDigest(first))
	case err == nil:
		m.Position = hub.Position{}
		if b.findRoom(m.Channel) != nil && !b.c.link.isLive(b.c.names.topic(m.Channel)) {
			b.deliverLocally(m, id, "") // it may not come back
		}
		return hub.Published{}, nil
	case ctx.Err() != nil || b.ctx.Err() != nil:
		return hub.Published{}, err
	}
	m.Position = hub.Position{}
	b.deliverLocally(m, id, key)
	return hub.Published{Degraded: true}, nil
}

func (b *Broker) unstoredCall(m *hub.Message, id serial, key string) *call {
	n := b.c.names
	frame := make([]byte, 0, 64+len(m.Event)+len(m.Sender)+len(m.Content))
	if m.Direct != nil {
		frame = appendDirect(frame, m, id)
	} else {
		frame = appendMessage(appendSerial(frame, id), m)
	}
	if key == "" {
		return &call{args: []any{"publish", n.topic(m.Channel), frame}}
	}
	return &call{
		script: publishUnstoredScript, keys: n.keys(m.Channel), repeatable: true,
		args: []any{frame, n.topic(m.Channel), key, b.c.o.KeyWindow.Milliseconds(), b.c.o.RoomKeys, b.c.o.Keys, formatDigest(m.Digest())},
	}
}

// deliverAlone hands a message to the connections of this node, unless it has come back
// from Redis. Should it come back after all, the room knows it.
func (b *Broker) deliverLocally(m *hub.Message, id serial, key string) {
	if key != "" {
		b.local.rememberKey(m, key, b.c.o.KeyWindow)
	}
	if !b.local.claim(id) {
		return
	}
	if r := b.findRoom(m.Channel); r != nil {
		r.deliverPlain(m)
	}
}

// endLog drops the log that a room may have from a time when it had history: nobody
// may continue it over messages without position. It is asked for once in a while,
// because another node, or this one before it was restarted, may have had it.
func (b *Broker) endLog(ctx context.Context, channel string) error {
	if b.withoutLog.has(channel) {
		return nil
	}
	n := b.c.names
	_, err := b.run(ctx, &call{
		script: endLogScript, repeatable: true,
		keys: []string{n.meta(channel), n.stream(channel)},
		args: []any{history.NewEpoch(), endedEpochTTL},
	})
	if err == nil {
		b.withoutLog.add(channel)
		if r := b.findRoom(channel); r != nil {
			r.forgetPosition()
		}
	}
	return err
}

// Redis remembers of an idempotency key the position of its message or, where that has
// none, its digest. Older versions leave an empty text instead of a digest. A position has
// no digest beside it, because older versions could not read that: there the message
// itself is compared, if it is still in the log.

// repeated answers a publish whose key was seen before. The entry is that of the first
// message, or nil.
func answerRepeated(m *hub.Message, first string, entry any) (hub.Published, error) {
	if !strings.Contains(first, ":") { // the room had no history then
		return answerDuplicate(m, parseDigest(first))
	}
	at, err := parsePosition(first)
	if err != nil {
		return hub.Published{}, unexpected(first)
	}
	var digest uint32
	if stored, err := parseEntry(m.Channel, entry); err == nil && stored.Position.Anchor == at.Anchor {
		digest = stored.Digest()
	}
	p, err := answerDuplicate(m, digest)
	if err == nil {
		p.Position = at
	}
	return p, err
}

// duplicate answers a publish whose key was seen before with a message of this digest; 0:
// not known.
func answerDuplicate(m *hub.Message, digest uint32) (hub.Published, error) {
	if err := m.Repeat(digest); err != nil {
		return hub.Published{}, err
	}
	return hub.Published{Duplicate: true}, nil
}

func formatDigest(digest uint32) string { return strconv.FormatUint(uint64(digest), 16) }

// parseDigest is the reverse; 0 for anything else.
func parseDigest(s string) uint32 {
	digest, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		return 0
	}
	return uint32(digest)
}

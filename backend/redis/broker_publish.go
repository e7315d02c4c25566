package redis

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Publish implements [hub.Broker]. If it fails with [hub.ErrUnavailable], Redis may have
// executed the publish all the same. A publish with a key was already repeated before it fails.
func (b *Broker) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	if err := b.checkOpen(ctx); err != nil {
		return hub.Published{}, err
	}
	switch {
	case m.Direct != nil || m.Volatile:
		return b.publishUnplaced(ctx, m, o)
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
		appendMessage(make([]byte, 0, 48+len(m.Event)+len(m.Sender)+len(m.Content)+len(m.Tags)), m),
		strconv.FormatUint(uint64(m.Position.Anchor), 10),
		o.Retention.Size + 1, stream, meta, n.topic(m.Channel), history.NewEpoch(), b.lifetimesKnown(m.Channel, o.Retention),
	}
	c.args = append(c.args, b.feedArgs(o.Feed, m.Channel)...)
	if o.Key != "" {
		if o.Feed == "" {
			c.args = append(c.args, "", "")
		}
		c.keys = append(c.keys, n.keys(m.Channel)...)
		c.args = append(c.args, o.Key, b.c.o.KeyWindow.Milliseconds(), b.c.o.RoomKeys, b.c.o.Keys)
	}
	b.withoutLog.remove(m.Channel)
	result, err := b.run(ctx, b.c.recordMessage(c, m))
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

// lifetimes returns how long Redis keeps a room's stream and its meta, in milliseconds. Both
// are a tenth longer than necessary, so that not every publish must renew them.
func lifetimes(keep hub.Retention) (stream, meta int64) {
	long := max(24*time.Hour, 10*keep.TTL)
	if keep.TTL > 0 {
		stream = max(1, (keep.TTL + keep.TTL/10).Milliseconds())
	} else {
		stream = (long + long/10).Milliseconds()
	}
	return stream, (long + long/10).Milliseconds()
}

// lifetimesKnown returns 1 if this node sent the lifetimes of the room to Redis a short while
// ago, and 0 otherwise.
func (b *Broker) lifetimesKnown(channel string, keep hub.Retention) int {
	if r := b.findRoom(channel); r != nil && !r.needsLifetimes(time.Now(), keep) {
		return 1
	}
	return 0
}

// endedEpochTTL is how long Redis keeps the epoch of a log that ended or was lost, in
// milliseconds. It is longer than the day in which scripts would compute the old epoch of the
// room again.
const endedEpochTTL = 26 * 60 * 60 * 1000

// publishUnplaced sends a message to one member, or a volatile one. It does not change the
// room's log.
func (b *Broker) publishUnplaced(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	if first, said := b.local.seenKey(m.Channel, o.Key); said {
		return answerDuplicate(m, first)
	}
	if m.Direct != nil {
		o.Feed = ""
	}
	return b.publishUnstored(ctx, m, o)
}

// publishPlain publishes a message without position. If Redis does not accept it, it is
// delivered on this node only.
func (b *Broker) publishPlain(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	if first, said := b.local.seenKey(m.Channel, o.Key); said {
		return answerDuplicate(m, first)
	}
	if err := b.endLog(ctx, m.Channel); err != nil && ctx.Err() != nil {
		return hub.Published{}, err
	}
	return b.publishUnstored(ctx, m, o)
}

// publishUnstored publishes a message that Redis does not store.
func (b *Broker) publishUnstored(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	key := o.Key
	id := serial{b.c.node, b.serial.Add(1)}
	b.local.startSending(id)
	defer b.local.stopSending(id)
	if o.Feed != "" {
		b.fed.startSending(id)
		defer b.fed.stopSending(id)
	}
	result, err := b.run(ctx, b.unstoredCall(m, id, o))
	first, said := result.(string)
	switch {
	case err == nil && said && key != "":
		return answerDuplicate(m, parseDigest(first))
	case err == nil:
		m.Position = hub.Position{}
		if b.findRoom(m.Channel) != nil && !b.c.link.isLive(b.c.names.topic(m.Channel)) {
			b.deliverLocally(m, id, "") // the message may not come back
		}
		return hub.Published{}, nil
	case ctx.Err() != nil || b.ctx.Err() != nil:
		return hub.Published{}, err
	}
	m.Position = hub.Position{}
	b.deliverLocally(m, id, key)
	b.feedLocally(o.Feed, m, id)
	return hub.Published{Degraded: true}, nil
}

func (b *Broker) unstoredCall(m *hub.Message, id serial, o hub.PublishOptions) *call {
	n := b.c.names
	frame := make([]byte, 0, 80+len(m.Event)+len(m.Sender)+len(m.Content)+len(m.Tags))
	switch {
	case m.Direct != nil:
		frame = appendDirect(frame, m, id)
	case m.Volatile:
		frame = appendMessage(appendSerial(append(frame, volatileMark...), id), m)
	default:
		frame = appendMessage(appendSerial(frame, id), m)
	}
	feed := b.feedArgs(o.Feed, m.Channel)
	if o.Key == "" {
		if !m.Volatile { // no event of that: the app would get it when it is out of date
			c := b.c.recordMessage(&call{script: plainPublish, args: append([]any{frame, n.topic(m.Channel)}, feed...)}, m)
			if c.script != plainPublish {
				return c
			}
		}
		if feed != nil {
			return &call{script: publishFedScript, keys: []string{n.topic(m.Channel)}, args: append([]any{frame}, feed...)}
		}
		return &call{args: []any{"publish", n.topic(m.Channel), frame}}
	}
	return b.c.recordMessage(&call{
		script: publishUnstoredScript, keys: n.keys(m.Channel), repeatable: true,
		args: append([]any{
			frame, n.topic(m.Channel), o.Key, b.c.o.KeyWindow.Milliseconds(), b.c.o.RoomKeys, b.c.o.Keys, formatDigest(m.Digest()),
		}, feed...),
	}, m)
}

// plainPublish stands for a PUBLISH, which is a script only if the message is recorded.
var plainPublish = &script{recording: publishRecordedScript}

// deliverLocally delivers a message to the connections of this node, unless the message came
// back from Redis. If it comes back later, the room recognizes it.
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

// endLog drops the log that a room may have from a time when it had history: no client may
// continue that log over messages without position. endLog is repeated every few minutes,
// because another node may have written a log, or this node before a restart.
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

// For an idempotency key Redis stores the position of its message. If the message has no
// position, Redis stores its digest; earlier versions stored an empty text. Earlier versions
// could not read a digest beside a position. So a repeated message with a position is compared
// with the message itself, if that is still in the log.

// answerRepeated returns the result of a publish whose key was seen before. entry is the first
// message, or nil if the log does not have it any more.
func answerRepeated(m *hub.Message, first string, entry any) (hub.Published, error) {
	if !strings.Contains(first, ":") { // the room had no history when the key was used
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

// answerDuplicate returns the result of a publish whose key was seen before, with a message of
// this digest. A digest of 0 is unknown.
func answerDuplicate(m *hub.Message, digest uint32) (hub.Published, error) {
	if err := m.Repeat(digest); err != nil {
		return hub.Published{}, err
	}
	return hub.Published{Duplicate: true}, nil
}

func formatDigest(digest uint32) string { return strconv.FormatUint(uint64(digest), 16) }

// parseDigest parses the result of formatDigest. It returns 0 for anything else.
func parseDigest(s string) uint32 {
	digest, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		return 0
	}
	return uint32(digest)
}

package redis

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// History implements [hub.Broker].
func (b *Broker) History(ctx context.Context, channel string, keep hub.Retention, q hub.HistoryQuery) (hub.HistoryPage, error) {
	if err := b.checkOpen(ctx); err != nil {
		return hub.HistoryPage{}, err
	}
	if keep.Size <= 0 {
		return hub.HistoryPage{}, nil
	}
	r := b.findRoom(channel)
	if r == nil {
		return b.readPage(ctx, channel, keep, q)
	}
	r.setRetention(keep)
	before := r.position()
	page, err := b.readPage(ctx, channel, keep, q)
	if err == nil && wentBack(before, page.Top) {
		// A client that starts at this position would later take new messages for messages that
		// it knows.
		if err = b.renewEpoch(ctx, channel, before.Epoch); err == nil {
			page, err = b.readPage(ctx, channel, keep, q)
		}
	}
	if err != nil {
		return hub.HistoryPage{}, err
	}
	r.compare(before, page.Top)
	return page, nil
}

// wentBack reports whether a log went back in time. It was at position at, and is at top now.
// Then top is before at, or has another message at the same offset: Redis lost a part of the
// log.
func wentBack(at, top hub.Position) bool {
	if at.Epoch != top.Epoch || at.IsZero() {
		return false
	}
	return top.Offset < at.Offset || top.Offset == at.Offset && anchorsDiffer(top.Anchor, at.Anchor)
}

// anchorsDiffer compares two anchors. An anchor of 0 is unknown.
func anchorsDiffer(a, b uint32) bool { return a != 0 && b != 0 && a != b }

// readPage reads a page of the log from Redis.
func (b *Broker) readPage(ctx context.Context, channel string, keep hub.Retention, q hub.HistoryQuery) (hub.HistoryPage, error) {
	log, err := b.readLog(ctx, channel, keep, q)
	switch {
	case err != nil:
		return hub.HistoryPage{}, err
	case q.Since == nil:
		return hub.HistoryPage{Top: log.top, Messages: log.newest(max(q.Limit, 0))}, nil
	}
	page, outcome := log.page(*q.Since, max(q.Limit, 0))
	if outcome != history.AnchorDiffers {
		return page, nil
	}
	// The script began at the position of the client, but all messages that the log still has
	// must be returned.
	nowhere := q
	nowhere.Since = &hub.Position{Epoch: q.Since.Epoch, Offset: math.MaxUint64}
	if log, err = b.readLog(ctx, channel, keep, nowhere); err != nil {
		return hub.HistoryPage{}, err
	}
	page, _ = log.page(*nowhere.Since, max(q.Limit, 0))
	return page, nil
}

// logExcerpt is the part of a log that was read.
type logExcerpt struct {
	top      hub.Position
	before   uint64 // messages up to this offset are too old to be returned
	messages []*hub.Message
}

// readLog reads a part of a log.
func (b *Broker) readLog(ctx context.Context, channel string, keep hub.Retention, q hub.HistoryQuery) (logExcerpt, error) {
	n, count := b.c.names, max(q.Limit, 0)
	c := &call{
		script: historyScript, repeatable: true, secretKey: n.secret(),
		keys: []string{n.meta(channel), n.stream(channel), n.secret()},
		args: []any{keep.Size, keep.TTL.Milliseconds(), count, history.NewEpoch()},
	}
	if q.Since != nil {
		c.args[2] = max(count, 1) + 1 // the message at the position, and one more to see whether there is more
		c.args = append(c.args, q.Since.Epoch, strconv.FormatUint(q.Since.Offset, 10))
	}
	result, err := b.run(ctx, c)
	if err != nil {
		return logExcerpt{}, err
	}
	log, err := parseExcerpt(channel, result)
	if log.top.Offset > uint64(keep.Size) {
		log.before = log.top.Offset - uint64(keep.Size)
	}
	return log, err
}

// newest returns the last messages up to the top that follow each other without a hole, at most
// limit.
func (e logExcerpt) newest(limit int) []*hub.Message {
	first := len(e.messages)
	for want := e.top.Offset; first > 0 && want > e.before && e.messages[first-1].Position.Offset == want; want-- {
		first--
	}
	return e.messages[max(first, len(e.messages)-limit):]
}

// page returns the messages for a reader that has everything up to since.
func (e logExcerpt) page(since hub.Position, limit int) (hub.HistoryPage, history.Outcome) {
	ms, anchor := e.messages, uint32(0)
	if len(ms) > 0 && ms[0].Position.Offset == since.Offset && since.Epoch == e.top.Epoch {
		anchor = ms[0].Position.Anchor
		ms = ms[1:]
	} else if since.Offset == e.top.Offset {
		anchor = e.top.Anchor
	}
	ms, first := e.contiguous(ms)
	extent := history.Extent{Top: history.Position(e.top), First: first}
	outcome := extent.Decide(history.Position(since), anchor, limit)
	page := hub.HistoryPage{Top: e.top, Lost: outcome.Lost()}
	if len(ms) > limit {
		ms = ms[:limit]
	}
	page.Messages = ms
	end := since.Offset
	if page.Lost {
		end = first - 1
	}
	if len(ms) > 0 {
		end = ms[len(ms)-1].Position.Offset
	}
	page.More = end < e.top.Offset
	return page, outcome
}

// contiguous drops the messages that are too old and those before a hole. first is the offset
// of the first message that is left. If none is left, first is behind the top.
func (e logExcerpt) contiguous(ms []*hub.Message) (rest []*hub.Message, first uint64) {
	for len(ms) > 0 && ms[0].Position.Offset <= e.before {
		ms = ms[1:]
	}
	for i := len(ms) - 1; i > 0; i-- {
		if ms[i-1].Position.Offset+1 != ms[i].Position.Offset {
			ms = ms[i:]
			break
		}
	}
	if len(ms) == 0 {
		return nil, e.top.Offset + 1
	}
	return ms, ms[0].Position.Offset
}

// parseExcerpt parses the reply of history.lua.
func parseExcerpt(channel string, result any) (e logExcerpt, err error) {
	reply, ok := result.([]any)
	if !ok || len(reply) != 2 {
		return e, unexpected(result)
	}
	position, _ := reply[0].(string)
	if e.top, err = parsePosition(position); err != nil {
		return e, unexpected(result)
	}
	entries, _ := reply[1].([]any)
	for _, entry := range entries {
		m, err := parseEntry(channel, entry)
		if err != nil {
			return e, unexpected(entry)
		}
		if m.Position.Offset > e.top.Offset {
			break
		}
		m.Position.Epoch = e.top.Epoch
		e.messages = append(e.messages, m)
	}
	return e, nil
}

// parseEntry parses an entry of a stream.
func parseEntry(channel string, entry any) (*hub.Message, error) {
	pair, _ := entry.([]any)
	if len(pair) != 2 {
		return nil, errFrame
	}
	id, _ := pair[0].(string)
	fields, _ := pair[1].([]any)
	if len(fields) != 2 {
		return nil, errFrame
	}
	payload, _ := fields[1].(string)
	offset, _, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(offset, 10, 64)
	if err != nil {
		return nil, errFrame
	}
	m, err := parseMessage(channel, payload)
	if err != nil {
		return nil, err
	}
	m.Position.Offset = n
	return m, nil
}

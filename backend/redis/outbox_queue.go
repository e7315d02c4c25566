package redis

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

// outboxNotices is the handler of the Pub/Sub channel that wakes senders.
type outboxNotices struct{ q *queue }

func (h outboxNotices) receive(string) { h.q.wakeAll() }
func (h outboxNotices) subscribed()    { h.q.wakeAll() }

func (q *queue) wakeAll() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, wake := range q.wakes {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

// Wake implements [notify.Queue].
func (q *queue) Wake(sink string) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.wakes[sink] == nil {
		q.wakes[sink] = make(chan struct{}, 1)
	}
	return q.wakes[sink]
}

func (q *queue) run(ctx context.Context, s *script, args ...any) (any, error) {
	return q.c.batch.do(ctx, q.recordCall(&call{script: s, repeatable: true, args: args}))
}

// Claim implements [notify.Queue].
func (q *queue) Claim(ctx context.Context, c notify.Claim) (claimed notify.Claimed, err error) {
	result, err := q.run(ctx, claimScript, c.Sink, c.Owner, c.Lease.Milliseconds(), flag(c.Reopen), nodeName()[:8], notify.SinkStays.Milliseconds())
	if err != nil {
		return claimed, err
	}
	reply, ok := result.([]any)
	if !ok || len(reply) != 5 {
		return claimed, unexpected(result)
	}
	fence, _ := reply[0].(int64)
	closed, _ := reply[1].(int64)
	events, _ := reply[2].(int64)
	words := texts(result)
	bytes, _ := strconv.ParseInt(words[3], 10, 64)
	claimed = notify.Claimed{Fence: uint64(fence), Closed: closed == 1, Events: int(events), Bytes: bytes}
	if ms, _ := strconv.ParseInt(words[4], 10, 64); ms > 0 {
		claimed.Oldest = time.UnixMilli(ms).UTC()
	}
	return claimed, nil
}

// Next implements [notify.Queue].
func (q *queue) Next(ctx context.Context, sink string, fence uint64, events, bytes int) (b notify.Batch, err error) {
	result, err := q.run(ctx, nextScript, sink, fence, events, bytes)
	switch {
	case err != nil:
		return b, err
	case result == nil:
		return b, notify.ErrFenced
	}
	reply, ok := result.([]any)
	if !ok || len(reply) != 8 {
		return b, unexpected(result)
	}
	words := texts(result)
	formed, _ := strconv.ParseInt(words[2], 10, 64)
	now, _ := strconv.ParseInt(words[3], 10, 64)
	given, _ := strconv.Atoi(words[4])
	q.openBatch(sink, openBatch{fence, words[1], words[7]})
	b = notify.Batch{ID: words[0] + "-" + words[1], Formed: time.UnixMilli(formed).UTC(), Age: time.Duration(now-formed) * time.Millisecond}
	if words[6] != "" && json.Unmarshal([]byte(words[6]), &b.Held) != nil {
		q.c.log.Error("events for the app that were held back can not be read, and are lost", "sink", sink)
	}
	entries, _ := reply[5].([]any)
	for _, entry := range entries {
		e, err := parseEvent(words[0], entry)
		if err != nil {
			// It must not hold up those behind it.
			q.c.log.Error("an event for the app can not be read, and is lost", "event", e.ID, "type", e.Type)
			e.Type, e.Count = notify.Lost, 1
		}
		b.Events = append(b.Events, e)
	}
	if given > 0 && len(b.Events) > 0 {
		b.ReportLost(given)
	}
	return b, nil
}

// Done implements [notify.Queue].
func (q *queue) Done(ctx context.Context, sink string, fence uint64, o notify.Outcome) error {
	var held []byte
	if len(o.Held) > 0 {
		var err error
		if held, err = json.Marshal(o.Held); err != nil {
			return err
		}
	}
	return q.end(ctx, sink, fence, flag(o.Refused), o.Lost, string(held))
}

// Release implements [notify.Queue].
func (q *queue) Release(ctx context.Context, sink string, fence uint64) error {
	return q.end(ctx, sink, fence, "2", 0, "")
}

// openBatch is the batch that Next has returned to a sender of this node.
type openBatch struct {
	fence uint64
	till  string // its last number; 0 if it is empty
	held  string // the number of what is held
}

func (q *queue) openBatch(sink string, b openBatch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.batches[sink] = b
}

// batchOf returns the batch that a sender has. Done names it, so that a script that was stuck in a
// broken connection does not end a later batch.
func (q *queue) batchOf(sink string, fence uint64) openBatch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if open := q.batches[sink]; open.fence == fence {
		return open
	}
	return openBatch{}
}

func (q *queue) end(ctx context.Context, sink string, fence uint64, how string, lost int, held string) error {
	open := q.batchOf(sink, fence)
	result, err := q.run(ctx, doneScript, sink, fence, how, lost, open.till, held, open.held)
	if err == nil && result != int64(1) {
		err = notify.ErrFenced
	}
	return err
}

// parseEvent parses an entry of the stream. outbox is the name of the outbox.
func parseEvent(outbox string, entry any) (e notify.Event, err error) {
	parts, _ := entry.([]any)
	if len(parts) != 2 {
		return e, errFrame
	}
	id, _ := parts[0].(string)
	number, _, _ := strings.Cut(id, "-")
	fields, list := make(map[string]string), texts(parts[1])
	for i := 0; i+1 < len(list); i += 2 {
		fields[list[i]] = list[i+1]
	}
	ms, _ := strconv.ParseInt(fields["t"], 10, 64)
	e = notify.Event{ID: outbox + "-" + number, Type: notify.Type(fields["k"]), Channel: fields["c"], Time: time.UnixMilli(ms).UTC()}
	if e.Seq, err = strconv.ParseUint(number, 10, 64); err != nil {
		return e, errFrame
	}
	return e, parseEventData(&e, fields["d"])
}

// parseEventData parses what a script has recorded with an event. Its form depends on the type.
func parseEventData(e *notify.Event, data string) error {
	switch e.Type {
	case notify.Connected, notify.Disconnected:
		e.Connection, e.User, _ = strings.Cut(data, "\n")
	case notify.Lost:
		e.Count, _ = strconv.Atoi(data)
	case notify.Entered, notify.Left:
		return parseMemberEvent(e, data)
	case notify.Message:
		return parseMessageEvent(e, data)
	case notify.Changed:
		version, rest, _ := strings.Cut(data, ":")
		entry, err := parseDocEntry(version, rest)
		e.Version, e.Sender, e.Patch = entry.Version, entry.Author, json.RawMessage(entry.Patch)
		return err
	}
	return nil
}

// parseMemberEvent parses a key with its length in four bytes, and a look as presence.lua has it.
func parseMemberEvent(e *notify.Event, data string) error {
	if len(data) < 4 {
		return errFrame
	}
	n := int(data[0])<<24 | int(data[1])<<16 | int(data[2])<<8 | int(data[3])
	data = data[4:]
	if n > len(data) {
		return errFrame
	}
	m := parseLook(data[:n], data[n:])
	if m == nil {
		return errFrame
	}
	e.User, e.Status, e.Info = m.Key, m.Status, json.RawMessage(m.Info)
	return nil
}

// parseMessageEvent parses a message in the form that it has in Pub/Sub.
func parseMessageEvent(e *notify.Event, data string) error {
	m, _, err := parsePlain(e.Channel, data)
	switch {
	case strings.HasPrefix(data, "h"):
		m, err = parsePlaced(e.Channel, data)
	case strings.HasPrefix(data, directMark):
		m, _, err = parseDirect(e.Channel, data)
	}
	if err != nil {
		return err
	}
	e.Sender, e.Event, e.Content, e.Except = m.Sender, m.Event, m.Content, m.Except
	e.Epoch, e.Offset = m.Position.Epoch, m.Position.Offset
	if m.Direct != nil {
		e.To = (*notify.Address)(&m.Direct.To)
	}
	return nil
}

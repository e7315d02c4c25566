package api

import (
	"context"
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	// maxItems bounds a batch, and the channels of one item.
	maxItems = 100
	// minBatch is the least size of a batch that is read, in bytes.
	minBatch = 1 << 20
)

// batchResult is what became of one item: either of all of it, or channel by
// channel, in the order of the request.
type batchResult struct {
	Channels []published      `json:"channels,omitempty"`
	Error    *problem.Details `json:"error,omitempty"`
}

// publishBatch is POST /publish.
func publishBatch(c *call) *protocol.Error {
	media, ok := c.mediaType()
	switch {
	case !ok:
		return nil
	case media != "application/json":
		c.unsupported("send a batch as application/json")
		return nil
	case c.r.Header.Get(keyHeader) != "":
		return protocol.Errorf(protocol.InvalidMessage, "a batch has no %s; give each item an \"id\"", keyHeader)
	}
	validate, e := flag(c.r.URL.Query(), "validate", false)
	if e != nil {
		return e
	}
	if e := c.o.Registry.Overdrawn(c.o.Caller); e != nil {
		return e
	}
	body, e := c.read(c.batchLimit())
	if e != nil {
		return e
	}
	items, e := decodeBatch(body)
	if e != nil {
		return e
	}
	results := make([]batchResult, len(items))
	ctx := c.patient()
	for i, item := range items {
		results[i] = c.publishItem(ctx, item, validate)
	}
	return c.replyValue(results)
}

// batchLimit trusts the app with as many of the greatest messages as a batch may
// have, and everybody else with an amount that a server can hold for many.
func (c *call) batchLimit() int64 {
	if c.o.Caller.App {
		return max(minBatch, maxItems*c.bodyLimit())
	}
	return max(minBatch, c.bodyLimit())
}

func decodeBatch(body []byte) (items []json.RawMessage, e *protocol.Error) {
	if e := validJSON(body); e != nil {
		return nil, e
	}
	if err := json.Unmarshal(body, &items); err != nil || items == nil {
		return nil, protocol.Errorf(protocol.InvalidMessage, "the body must be an array of messages")
	}
	if len(items) > maxItems {
		return nil, protocol.Errorf(protocol.TooLarge, "a batch has at most %d items", maxItems)
	}
	return items, nil
}

func (c *call) publishItem(ctx context.Context, item json.RawMessage, validate bool) batchResult {
	channels, p, checked, e := decodeItem(item)
	if e != nil {
		return batchResult{Error: detailsOf(e)}
	}
	caller := c.publisher(validate || checked)
	results := make([]published, len(channels))
	for i, channel := range channels {
		p.Channel = channel
		done, e := c.o.Registry.Publish(ctx, caller, p)
		results[i] = outcome(done)
		results[i].Channel, results[i].Error = channel, detailsOf(e)
	}
	return batchResult{Channels: results}
}

// decodeItem reads one item. Its channels are checked one by one when they are
// published to.
func decodeItem(item json.RawMessage) (channels []string, p protocol.Publish, validate bool, e *protocol.Error) {
	m, e := decodeMembers(item, "channels", "content", "event", "id", "to", "validate")
	if e != nil {
		return nil, p, false, e
	}
	if err := json.Unmarshal(m["channels"], &channels); err != nil || len(channels) == 0 {
		return nil, p, false, protocol.Errorf(protocol.InvalidMessage, "the member \"channels\" must be an array of names")
	}
	if len(channels) > maxItems {
		return nil, p, false, protocol.Errorf(protocol.TooLarge, "an item has at most %d channels", maxItems)
	}
	p, validate, e = m.message()
	return channels, p, validate, e
}

// detailsOf describes an error; nil for none.
func detailsOf(e *protocol.Error) *problem.Details {
	if e == nil {
		return nil
	}
	d := problem.Of(e)
	return &d
}

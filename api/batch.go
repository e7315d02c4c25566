package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

const (
	// maxItems is the greatest number of items in a batch, and of channels in an item.
	maxItems = 100
	// minBatch is the size in bytes up to which every batch is read.
	minBatch = 1 << 20
)

// batchResult is the result of one item: an error for the whole item, or a result for each
// of its channels, in the order of the request.
type batchResult struct {
	Channels []published      `json:"channels,omitempty"`
	Error    *problem.Details `json:"error,omitempty"`
}

// publishBatch is POST /publish.
func publishBatch(c *call) *protocol.Error {
	e := c.enter(func(by session.Caller) *protocol.Error { return c.o.Registry.MayAnywhere(by, policy.Publish) })
	if e != nil {
		return e
	}
	if !c.bodyIsJSON() {
		return nil
	}
	if len(c.r.Header.Values(keyHeader)) > 0 {
		return protocol.Errorf(protocol.InvalidMessage, "a batch has no %s; give each item a \"key\"", keyHeader)
	}
	validate, e := c.validate()
	if e != nil {
		return e
	}
	items, e := c.readBatch(c.batchLimit())
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

// batchLimit is the size in bytes up to which a batch is read. For the app it allows the
// greatest number of the largest messages. For others it is an amount that the server can
// hold for many callers.
func (c *call) batchLimit() int64 {
	if c.o.Caller.App {
		return max(minBatch, maxItems*c.bodyLimit())
	}
	return max(minBatch, c.bodyLimit())
}

// readBatch reads all items before the first one is published. It stops at the first item
// that is one too many.
func (c *call) readBatch(limit int64) ([]json.RawMessage, *protocol.Error) {
	body := &remembering{Reader: c.body(limit)}
	items, e := decodeBatch(body)
	if body.err != nil { // the error of the decoder would say less
		return nil, problem.ReadError(body.err, limit)
	}
	if e == nil {
		e = c.confirm()
	}
	return items, e
}

// remembering is a reader that keeps its error, unless that is io.EOF.
type remembering struct {
	io.Reader
	err error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

var errNoArray = protocol.Errorf(protocol.InvalidMessage, "the body must be a JSON array of messages")

func decodeBatch(body io.Reader) (items []json.RawMessage, e *protocol.Error) {
	d := json.NewDecoder(body)
	switch first, err := d.Token(); {
	case err != nil:
		return nil, errNoJSON
	case first != json.Delim('['):
		return nil, errNoArray
	}
	items = make([]json.RawMessage, 0, 1)
	for d.More() {
		if len(items) == maxItems {
			return nil, protocol.Errorf(protocol.TooLarge, "a batch has at most %d items", maxItems)
		}
		var item json.RawMessage
		if err := d.Decode(&item); err != nil || !utf8.Valid(item) {
			return nil, errNoJSON
		}
		items = append(items, item)
	}
	if _, err := d.Token(); err != nil { // the closing bracket
		return nil, errNoJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNoJSON
	}
	return items, nil
}

// publishItem publishes an item to its channels. The request has been charged for one
// message.
func (c *call) publishItem(ctx context.Context, item json.RawMessage, validate bool) batchResult {
	channels, p, checked, e := decodeItem(item)
	if e != nil {
		if _, unpaid := c.o.Registry.Rates.Charge(c.payer()); unpaid != nil {
			e = unpaid
		}
		return batchResult{Error: detailsOf(e)}
	}
	results := make([]published, len(channels))
	for i, channel := range channels {
		p.Channel = channel
		by := c.payer()
		by.Validate = validate || checked
		done, e := c.o.Registry.Publishing.Publish(ctx, by, p)
		results[i] = outcome(done)
		results[i].Channel, results[i].Error = channel, detailsOf(e)
	}
	return batchResult{Channels: results}
}

// payer returns the caller for the next message of a batch. The first time it is the caller
// that was charged already, and then one that has to be charged.
func (c *call) payer() session.Caller {
	by := c.o.Caller
	c.o.Caller = by.Unpaid()
	return by
}

// decodeItem decodes one item. Its channels are checked when a message is published to
// them.
func decodeItem(item json.RawMessage) (channels []string, p protocol.Publish, validate bool, e *protocol.Error) {
	m, e := decodeMessageObject(item, "channels")
	if e != nil {
		return nil, p, false, e
	}
	if err := json.Unmarshal(m["channels"], &channels); err != nil || len(channels) == 0 {
		return nil, p, false, protocol.Errorf(protocol.InvalidMessage, "the field \"channels\" must be an array of names")
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

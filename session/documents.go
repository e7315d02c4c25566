package session

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Documents reads and changes the documents of rooms.
type Documents struct {
	// Static before the first session is opened.
	hub     *hub.Hub
	rules   *current
	rates   *Rates
	service *document.Service // nil: no room has a document
}

// Read reads a document for a caller of the HTTP API. Errors are those of
// [Documents.Amend].
func (d *Documents) Read(ctx context.Context, c Caller, channel string) (document.Snapshot, *protocol.Error) {
	if e := d.rates.spend(c); e != nil {
		return document.Snapshot{}, e
	}
	u := d.rules.Load()
	if e := u.mayRead(ctx, c, policy.Subscribe, channel); e != nil {
		return document.Snapshot{}, e
	}
	if e := d.hasDocument(u, channel); e != nil {
		return document.Snapshot{}, e
	}
	snap, err := d.service.Read(ctx, channel, *u.document(channel))
	return snap, d.rules.documentFailed(err)
}

// MaxSize is the greatest size of a channel's document in bytes.
func (d *Documents) MaxSize(channel string) int {
	if o := d.rules.Load().document(channel); o != nil && o.Limits.Size > 0 {
		return o.Limits.Size
	}
	return document.DefaultSize
}

// List returns documents of all nodes in the order of their channels: those whose channels
// begin with prefix and come after a channel, at most limit. Errors are UNAVAILABLE and
// INTERNAL.
func (d *Documents) List(ctx context.Context, prefix, after string, limit int) (page []document.Info, more bool, e *protocol.Error) {
	if d.service == nil {
		return nil, false, nil
	}
	page, more, err := d.service.List(ctx, prefix, after, limit)
	return page, more, d.rules.documentFailed(err)
}

// Forget removes a channel's document, also if its room has no document any more.
// Subscribers get a `gap`, and find an empty document in another epoch. If only is not zero,
// Forget removes the document only at that epoch and version. Errors are INVALID_CHANNEL,
// CONFLICT, UNAVAILABLE and INTERNAL.
func (d *Documents) Forget(ctx context.Context, channel string, only document.Known) *protocol.Error {
	if e := protocol.ValidChannel(channel); e != nil {
		return e
	}
	if d.service == nil {
		return nil
	}
	done, err := d.service.Forget(ctx, channel, only)
	if err == nil && !done {
		return protocol.Errorf(protocol.Conflict, "the document is at another version")
	}
	return d.rules.documentFailed(err)
}

// MayChange decides whether c may change the document of a channel, if it has one. The
// errors are those of [Registry.May], and FORBIDDEN where there is no document.
func (d *Documents) MayChange(c Caller, channel string) *protocol.Error {
	u := d.rules.Load()
	if e := u.may(c, policy.Change, channel); e != nil {
		return e
	}
	return d.hasDocument(u, channel)
}

func (d *Documents) hasDocument(u *rules, channel string) *protocol.Error {
	if d.service == nil || u.document(channel) == nil {
		return protocol.Errorf(protocol.Forbidden, "this channel has no document")
	}
	return nil
}

// document returns the options of a channel's document; nil if it has none.
func (u *rules) document(channel string) *document.Options {
	if room := u.policy.Match(channel); room != nil {
		return room.Document
	}
	return nil
}

// budget is the memory that a caller may fill with documents. Anonymous callers with the same
// address have one share: a share for all of them could be filled by a single one.
func (u *rules) budget(c Caller) document.Budget {
	b := document.Budget{Share: u.limits.DocumentShare, Memory: u.limits.DocumentMemory}
	switch p := c.who(); {
	case c.App:
	case p.User != "":
		b.Payer = "u" + p.User
	default:
		b.Payer = "a" + p.From().String()
	}
	return b
}

// origin is returned by the service with the news of a change that this node proposed.
type origin struct {
	connection   string
	id           json.RawMessage
	localVersion uint64
}

// DocumentEvent makes the event that announces the news of a document to its room.
func DocumentEvent(n document.News) hub.Event {
	if n.Entry.Version == 0 {
		return hub.Gap{Channel: n.Channel}
	}
	ev := protocol.RemoteChange{
		Channel: n.Channel, Epoch: n.Epoch, Version: n.Entry.Version, Sender: n.Entry.Author, Patch: n.Entry.Patch,
		Hash: n.Entry.Hash,
	}
	if o, ok := n.Origin.(*origin); ok {
		ev.Connection = o.connection
		ev.Accepted = protocol.ChangeAccepted{
			ID: o.id, Channel: n.Channel, LocalVersion: o.localVersion, Epoch: n.Epoch, Version: n.Entry.Version,
			Hash: n.Entry.Hash,
		}
	}
	return ev
}

// DocumentError turns the reason for which a change is not made into an error of the protocol.
func DocumentError(e *document.Error) *protocol.Error {
	switch e.Reason {
	case document.Invalid:
		return protocol.Errorf(protocol.InvalidMessage, "%s", e.Text)
	case document.TooLarge:
		return protocol.Errorf(protocol.TooLarge, "%s", e.Text)
	case document.Rejected:
		return protocol.AsError(e)
	}
	return protocol.Errorf(protocol.Conflict, "%s", e.Text)
}

// documentFailed is failed for errors of the documents' service.
func (c *current) documentFailed(err error) *protocol.Error {
	switch {
	case errors.Is(err, document.ErrShare):
		return protocol.Errorf(protocol.LimitExceeded, "you have filled your share of the memory for documents; make some of what you wrote smaller first")
	case errors.Is(err, document.ErrFull):
		return protocol.Errorf(protocol.LimitExceeded, "the server holds as many documents as it may")
	case errors.Is(err, document.ErrUnavailable):
		err = hub.ErrUnavailable
	case errors.Is(err, document.ErrClosed):
		err = hub.ErrClosed
	}
	return c.failed("document", err)
}

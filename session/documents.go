package session

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// budget is what a caller may add to the memory of documents. Anonymous callers share by
// address: if all of them had one share, a single one could fill it for the others.
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

// Documents gives the documents of all nodes in the order of their channels: those that
// begin with prefix and come after a channel, limit of them at most. Errors are
// UNAVAILABLE and INTERNAL.
func (r *Registry) Documents(ctx context.Context, prefix, after string, limit int) (page []document.Info, more bool, e *protocol.Error) {
	if r.documents == nil {
		return nil, false, nil
	}
	page, more, err := r.documents.List(ctx, prefix, after, limit)
	return page, more, r.documentFailed(err)
}

// ForgetDocument removes a channel's document, whether or not its room still has one.
// Whoever is subscribed is sent a `gap`, and finds an empty document in another epoch.
// With another Known than the zero one it does so only if that is the document's epoch
// and version. Errors are INVALID_CHANNEL, CONFLICT, UNAVAILABLE and INTERNAL.
func (r *Registry) ForgetDocument(ctx context.Context, channel string, only document.Known) *protocol.Error {
	if e := protocol.ValidChannel(channel); e != nil {
		return e
	}
	if r.documents == nil {
		return nil
	}
	done, err := r.documents.Forget(ctx, channel, only)
	if err == nil && !done {
		return protocol.Errorf(protocol.Conflict, "the document is at another version")
	}
	return r.documentFailed(err)
}

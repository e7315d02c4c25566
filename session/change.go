package session

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/internal/lane"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Change proposes a change of a document for the client. The outcome says whether the change
// was made. The room announces an accepted change to everybody, and to its author with id:
// so the client sees all versions in order. Errors are those of [Documents.Amend], and
// NOT_SUBSCRIBED.
func (s *Session) Change(ctx context.Context, q protocol.Change, id json.RawMessage) (document.Outcome, *protocol.Error) {
	s.conn.Yield() // another goroutine may have the turn of the document, and wait
	if e := s.mayChange(q.Channel); e != nil {
		return document.Outcome{}, e
	}
	p := Proposal{
		Channel: q.Channel, Key: s.changeKey(&q), Epoch: q.Epoch, Base: q.BaseVersion, Patch: q.Patch,
		origin: &origin{s.conn.ID(), id, q.LocalVersion},
	}
	return s.registry.Documents.amend(ctx, s.caller(), p, func(r policy.Rate, now time.Time) time.Duration {
		return s.rooms.take(q.Channel, r, now)
	})
}

// mayChange checks that the client may change a document and follows it.
func (s *Session) mayChange(channel string) *protocol.Error {
	if e := s.MustAuthenticate(); e != nil {
		return e
	}
	if e := s.registry.Documents.MayChange(s.caller(), channel); e != nil {
		return e
	}
	if !s.following(channel) {
		return notSubscribed()
	}
	return nil
}

// changeKey identifies a change of a client: by the name that the client chose, or else by
// its connection. Others can see the id of an anonymous connection, but can not send a name
// that begins with a control character.
func (s *Session) changeKey(q *protocol.Change) string {
	client := q.Client
	if client == "" {
		client = "\x01" + s.conn.ID()
	}
	return changeKey(client, q.LocalVersion)
}

func changeKey(client string, localVersion uint64) string {
	return client + " " + strconv.FormatUint(localVersion, 10)
}

// Proposal is a change as the HTTP API proposes it.
type Proposal struct {
	Channel string
	// Key makes a repeat harmless; empty for none. It counts for the caller's user.
	Key string
	// Epoch and Base are of the state that the change was made to.
	Epoch string
	Base  uint64
	// Latest ignores Epoch and Base. Exact rejects the change if they are not
	// those of the current state, whatever the room says.
	Latest, Exact bool
	// Patch is a merge patch or a JSON patch, or with Replace the new state.
	Patch   json.RawMessage
	Replace bool

	origin *origin
}

// Amend changes a document for a caller of the HTTP API. The outcome says whether the change
// was made. Errors are those of [Registry.May], FORBIDDEN where the room
// has no document, TOO_LARGE, RATE_LIMITED, LIMIT_EXCEEDED, UNAVAILABLE when the store
// fails or the room has too much to deliver, and INTERNAL.
func (d *Documents) Amend(ctx context.Context, c Caller, p Proposal) (document.Outcome, *protocol.Error) {
	if e := d.rates.spend(c); e != nil {
		return document.Outcome{}, e
	}
	return d.amend(ctx, c, p, d.rates.of(c, p.Channel))
}

// Propose does for a caller of the HTTP API what `change` does for a connection. A change
// that is sent in both ways is made once. Only a caller that may subscribe can change the
// document, because the outcome of a rejected change has the state. Errors are those of
// [Documents.Amend], and INVALID_MESSAGE for a wrong secret.
func (d *Documents) Propose(ctx context.Context, c Caller, q protocol.Change) (document.Outcome, *protocol.Error) {
	if e := d.rules.Load().may(c, policy.Subscribe, q.Channel); e != nil {
		return document.Outcome{}, e
	}
	c, e := c.asStream(q.Secret)
	if e != nil {
		return document.Outcome{}, e
	}
	out, e := d.Amend(ctx, c, Proposal{
		Channel: q.Channel, Key: changeKey(q.Client, q.LocalVersion), Epoch: q.Epoch, Base: q.BaseVersion, Patch: q.Patch,
	})
	if e == nil && out.Err != nil {
		e = d.rules.Load().askApp(ctx, c, auth.Subscribe, q.Channel)
	}
	if e != nil {
		return document.Outcome{}, e
	}
	return out, nil
}

// amend checks a change in the order in which accept checks a message.
func (d *Documents) amend(ctx context.Context, c Caller, p Proposal, take takeFunc) (out document.Outcome, e *protocol.Error) {
	u, now := d.rules.Load(), time.Now()
	room, e := u.room(c, policy.Change, p.Channel)
	if e == nil {
		e = d.hasDocument(u, p.Channel)
	}
	switch {
	case e != nil:
		return out, e
	case !p.Replace && len(p.Patch) > u.limits.MessageSize:
		return out, protocol.Errorf(protocol.TooLarge, "the patch is larger than %d bytes", u.limits.MessageSize)
	}
	if e = d.rates.pace(c, room, p.Channel, "changes", now, take); e == nil {
		e = u.askApp(ctx, c, auth.Publish, p.Channel)
	}
	if e == nil {
		e = d.rates.spendTotal(c, room, p.Channel, "changes", now)
	}
	if e != nil {
		return out, e
	}
	out, e = d.propose(ctx, c, p, room)
	if e == nil {
		d.rules.counts.change(&out)
	}
	return out, e
}

// propose makes a change that the caller may make.
func (d *Documents) propose(ctx context.Context, c Caller, p Proposal, room *policy.Room) (document.Outcome, *protocol.Error) {
	o := *room.Document
	o.Strict = o.Strict || p.Exact
	o.Limits.Root = o.Limits.Root || c.App || p.Replace
	patch, bad, err := p.parse(ctx, o.Limits)
	if err != nil {
		return document.Outcome{}, d.rules.documentFailed(err)
	}
	if bad != nil {
		snap, err := d.service.Read(ctx, p.Channel, o)
		return document.Outcome{Epoch: snap.Epoch, Version: snap.Version, State: snap.State, Err: bad}, d.rules.documentFailed(err)
	}
	change := document.Change{
		Key: scoped(c, p.Key), Epoch: p.Epoch, Base: p.Base, Latest: p.Latest, Patch: patch, Author: sender(c),
		Budget: d.rules.Load().budget(c),
	}
	if p.origin != nil {
		change.Origin = p.origin
	}
	if room.ChecksDocument() && (!c.App || c.Validate) {
		change.Check = func(t document.Tree) error {
			if e := room.CheckDocument(t.Text()); e != nil {
				return e
			}
			return nil
		}
	}
	space, err := d.hub.Reserve(ctx, p.Channel, len(p.Patch))
	if err != nil {
		return document.Outcome{}, d.rules.documentFailed(err)
	}
	defer space.Release()
	out, err := d.service.Change(ctx, p.Channel, change, o)
	return out, d.rules.documentFailed(err)
}

// parse reads the patch. A long patch waits for its turn. It holds no lock of the document
// meanwhile, so that small changes go on. The error is that of ctx.
func (p *Proposal) parse(ctx context.Context, l document.Limits) (patch *document.Patch, bad *document.Error, err error) {
	work := func() { patch, bad = p.read(l) }
	if len(p.Patch) <= lane.Brief {
		work()
		return patch, bad, nil
	}
	err = lane.Run(ctx, work)
	return patch, bad, err
}

func (p *Proposal) read(l document.Limits) (*document.Patch, *document.Error) {
	if !p.Replace {
		return document.ParsePatch(p.Patch, l)
	}
	tree, e := document.Parse(p.Patch, l)
	if e != nil {
		return nil, e
	}
	return document.Replacement(tree), nil
}

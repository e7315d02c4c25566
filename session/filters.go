package session

import (
	"context"
	"slices"

	"github.com/caddy-realtime/caddy-realtime/filter"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// selector is what a subscription gets of a room: what passes the filter of the room and the
// client's own. A zero Bound is none. Equal selectors share their answers in the hub.
type selector struct{ forced, own filter.Bound }

// Passes implements [hub.Selector].
func (s selector) Passes(m *hub.Message, scratch *any) bool {
	return (s.forced == filter.Bound{} || s.forced.Passes(m, scratch)) &&
		(s.own == filter.Bound{} || s.own.Passes(m, scratch))
}

// selector returns what chooses the messages of a channel for a principal; nil if nothing does.
// own is the client's filter, or nil.
func (u *rules) selector(p *Principal, channel string, own *filter.Filter) hub.Selector {
	var s selector
	if room := u.policy.Match(channel); room != nil && room.Filter != nil {
		s.forced = room.Filter.Bind(p.User, p.Claims)
	}
	if own != nil {
		s.own = own.Bind("", nil)
	}
	if s == (selector{}) {
		return nil
	}
	return s
}

// selector returns what chooses the messages of a channel for the session.
func (s *Session) selector(u *rules, channel string) hub.Selector {
	return u.selector(s.who(), channel, s.place(channel).filter)
}

// setFilter sets the client's own filter for a channel; nil is none.
func (s *Session) setFilter(channel string, own *filter.Filter) {
	s.changePlace(channel, func(p *place) { p.filter = own })
}

// compileFilter compiles the filter that a client sent. No filter and an empty one are nil.
func compileFilter(text *string) (*filter.Filter, *protocol.Error) {
	if text == nil || *text == "" {
		return nil, nil
	}
	f, err := filter.Compile(*text, filter.Client)
	if err != nil {
		return nil, protocol.Errorf(protocol.InvalidMessage, "filter: %s", err)
	}
	return f, nil
}

// CheckFilter returns INVALID_MESSAGE if a client can not have this filter. A transport calls it
// whose clients send a filter before there is a session. Nil is none.
func CheckFilter(text *string) *protocol.Error {
	_, e := compileFilter(text)
	return e
}

// replaces reports whether a subscription is about the filter of one that the client has.
func (s *Session) replaces(q *protocol.Subscribe) bool {
	return q.Filter != nil && slices.Contains(s.conn.Channels(), q.Channel)
}

// replaceFilter gives a subscription of the client another filter. The reply is queued between
// the messages that the old filter chose and those that the new one chooses.
func (s *Session) replaceFilter(u *rules, q protocol.Subscribe, o SubscribeOptions) *protocol.Error {
	if e := s.maySubscribe(u, q.Channel); e != nil {
		return e
	}
	if q.Recover != nil || q.History > 0 {
		return protocol.Errorf(protocol.AlreadySubscribed, "already subscribed to this channel; to replace the filter, send neither recover nor history")
	}
	own, e := compileFilter(q.Filter)
	if e != nil {
		return e
	}
	s.setFilter(q.Channel, own)
	var reply []hub.Event
	if o.Reply != nil {
		reply = o.Reply(Subscribed{Subscribed: hub.Subscribed{Channel: q.Channel}, Replaced: true})
	}
	if !s.registry.hub.Select(s.conn, q.Channel, s.selector(u, q.Channel), reply...) {
		s.setFilter(q.Channel, nil)
		return s.leftEarly(s.registry.rules.Load(), q.Channel)
	}
	s.applyNewer(u, func(newer *rules) { s.applyToRoom(newer, s.conn, q.Channel) })
	return nil
}

// maxScanned bounds how many messages are looked at for one page of a filtered history, once there
// is one that passes.
const maxScanned = 10 * protocol.MaxHistory

// readHistory reads what a caller may see of a history. The app sees all of it.
func (p *Publishing) readHistory(ctx context.Context, u *rules, c Caller, q protocol.History) (hub.HistoryPage, error) {
	var by hub.Selector
	if !c.App {
		by = u.selector(c.who(), q.Channel, nil)
	}
	if by == nil || q.Limit == 0 {
		return p.hub.History(ctx, q.Channel, q.Query())
	}
	all := hub.HistoryQuery{Since: q.Since, Limit: protocol.MaxHistory}
	page, err := p.hub.History(ctx, q.Channel, all)
	if err != nil {
		return page, err
	}
	if q.Since == nil {
		page.Messages = hub.Selected(page.Messages, by)
		page.Messages = page.Messages[max(0, len(page.Messages)-q.Limit):]
		return page, nil
	}
	return p.readOn(ctx, q, by, page)
}

// readOn reads page after page until there are enough messages that pass. It returns none only if
// no later message passes: a client continues behind the last message that it got.
func (p *Publishing) readOn(ctx context.Context, q protocol.History, by hub.Selector, first hub.HistoryPage) (hub.HistoryPage, error) {
	out, page := first, first
	out.Messages = nil
	for scanned := 0; ; {
		scanned += len(page.Messages)
		out.Messages = append(out.Messages, hub.Selected(page.Messages, by)...)
		if n := len(out.Messages); n > q.Limit {
			out.Messages, page.More = out.Messages[:q.Limit], true
		}
		n := len(out.Messages)
		if !page.More || len(page.Messages) == 0 || n == q.Limit || n > 0 && scanned >= maxScanned {
			out.More = page.More
			return out, nil
		}
		since := page.Messages[len(page.Messages)-1].Position
		var err error
		if page, err = p.hub.History(ctx, q.Channel, hub.HistoryQuery{Since: &since, Limit: protocol.MaxHistory}); err != nil {
			return out, err
		}
	}
}

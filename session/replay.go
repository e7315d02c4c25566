package session

import (
	"context"
	"slices"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Replay returns what the reply to a subscription of q would have, for a client that is in the room
// already. The subscription stays as it is, so that the client may have the newest messages already, or
// get them once more. The app is not asked: it has accepted the subscription. Errors: NOT_SUBSCRIBED,
// FORBIDDEN, UNAVAILABLE and INTERNAL.
func (s *Session) Replay(ctx context.Context, q protocol.Subscribe) (Subscribed, *protocol.Error) {
	sub := Subscribed{Subscribed: hub.Subscribed{Channel: q.Channel}}
	if !s.conn.In(q.Channel) {
		return sub, notSubscribed()
	}
	u := s.registry.rules.Load()
	if q.History > 0 {
		if e := u.may(s.callerIn(q.Channel), policy.History, q.Channel); e != nil {
			return sub, e
		}
	}
	by := s.selector(u, q.Channel)
	query := hub.HistoryQuery{Since: q.Recover, Limit: q.History}
	if q.Recover != nil || q.History > 0 && by != nil { // the selector may leave some out
		query.Limit = protocol.MaxHistory
	}
	page, err := s.registry.hub.History(ctx, q.Channel, query)
	if err != nil {
		return sub, s.registry.rules.failed("history", err)
	}
	sub.Position, sub.Messages = page.Top, hub.Selected(page.Messages, by)
	if q.Recover == nil {
		sub.Messages = sub.Messages[max(0, len(sub.Messages)-q.History):]
	}
	fits := prefix(slices.Backward(sub.Messages), s.registry.hub.Settings().QueueBytes/2)
	switch sub.Recovered = q.Recover != nil && !page.Lost && !page.More && fits == len(sub.Messages); {
	case q.Recover == nil:
		sub.Messages = sub.Messages[len(sub.Messages)-fits:]
	case !sub.Recovered:
		sub.Messages = nil
	}
	return sub, nil
}

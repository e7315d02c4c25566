package session

import (
	"context"
	"iter"
	"slices"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// History reads retained messages for the client. Errors are those of
// [Publishing.History].
func (s *Session) History(ctx context.Context, q protocol.History) (hub.HistoryPage, *protocol.Error) {
	if e := s.MustAuthenticate(); e != nil {
		return hub.HistoryPage{}, e
	}
	return s.registry.Publishing.history(ctx, s.caller(), q)
}

// History reads retained messages for a caller of the HTTP API that may subscribe
// to the channel. The app gets as much as it asks for; what others get is bounded as
// on a connection, because an answer stays in memory for as long as somebody takes to
// read it. Errors are those of [Registry.May], RATE_LIMITED and, when the hub fails,
// UNAVAILABLE or INTERNAL.
func (p *Publishing) History(ctx context.Context, c Caller, q protocol.History) (hub.HistoryPage, *protocol.Error) {
	if e := p.rates.spend(c); e != nil {
		return hub.HistoryPage{}, e
	}
	return p.history(ctx, c, q)
}

func (p *Publishing) history(ctx context.Context, c Caller, q protocol.History) (hub.HistoryPage, *protocol.Error) {
	u := p.rules.Load()
	if e := u.mayRead(ctx, c, policy.History, q.Channel); e != nil {
		return hub.HistoryPage{}, e
	}
	page, err := p.hub.History(ctx, q.Channel, q.Query())
	if !c.App {
		page = fitting(page, q.Since != nil, p.hub.Settings().QueueBytes/2)
	}
	return page, p.rules.failed("history", err)
}

// fitting cuts a page down to what may be queued for one connection at once, and
// leaves at least one message, so that a client that asks on gets ahead. From a
// page that begins at a position the newest are cut, and More says so; from the
// newest messages the oldest.
func fitting(page hub.HistoryPage, fromPosition bool, bytes int) hub.HistoryPage {
	if fromPosition {
		n := prefix(slices.All(page.Messages), bytes)
		page.More = page.More || n < len(page.Messages)
		page.Messages = page.Messages[:n]
		return page
	}
	n := prefix(slices.Backward(page.Messages), bytes)
	page.Messages = page.Messages[len(page.Messages)-n:]
	return page
}

// prefix is how many messages of a sequence fit, the first one always.
func prefix(ms iter.Seq2[int, *hub.Message], bytes int) (n int) {
	for _, m := range ms {
		if bytes -= len(m.Content); bytes < 0 && n > 0 {
			break
		}
		n++
	}
	return n
}

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

// History reads retained messages for a caller of the HTTP API that may subscribe to the
// channel. The app gets all messages that it requests. For others the answer is bounded as on
// a connection, because it stays in memory until the caller has read it. Errors are those of
// [Registry.May], RATE_LIMITED and, when the hub fails, UNAVAILABLE or INTERNAL.
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
	page, err := p.readHistory(ctx, u, c, q)
	if !c.App {
		page = fitting(page, q.Since != nil, p.hub.Settings().QueueBytes/2)
	}
	return page, p.rules.failed("history", err)
}

// fitting cuts a page down to what may be queued for one connection at once. It leaves at
// least one message, so that a client that requests page after page makes progress. If the
// page starts at a position, the newest messages are cut and More is set; otherwise the
// oldest are cut.
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

// prefix returns how many messages of a sequence fit. The first one always does.
func prefix(ms iter.Seq2[int, *hub.Message], bytes int) (n int) {
	for _, m := range ms {
		if bytes -= len(m.Content) + len(m.Tags); bytes < 0 && n > 0 {
			break
		}
		n++
	}
	return n
}

package backendtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// page checks the parts of a page other than its messages.
func (r *room) page(what string, got hub.HistoryPage, top hub.Position, lost, more bool) {
	r.t.Helper()
	if got.Top != top || got.Lost != lost || got.More != more {
		r.t.Errorf("%s: top %+v, lost %v, more %v, want %+v, %v, %v", what, got.Top, got.Lost, got.More, top, lost, more)
	}
}

func historyNewest(e *env) {
	r := e.attached(hundred)
	sent := r.publish(10)
	top := sent[9].Position
	for limit, first := range map[int]int{1: 9, 3: 7, 10: 0, 1000: 0, 0: 10} {
		page := r.newest(limit)
		r.page(fmt.Sprintf("the newest %d", limit), page, top, false, false)
		expect(e.t, page.Messages, sent[first:])
	}
}

func historySince(e *env) {
	r := e.attached(hundred)
	sent := r.publish(10)
	top := sent[9].Position
	for i, m := range sent {
		page := r.since(m.Position, 100)
		r.page(fmt.Sprintf("since %d", i+1), page, top, false, false)
		expect(e.t, page.Messages, sent[i+1:])
	}
	page := r.since(hub.Position{Epoch: top.Epoch}, 100)
	r.page("since the beginning", page, top, false, false)
	expect(e.t, page.Messages, sent)
}

func historyPages(e *env) {
	r := e.attached(hundred)
	sent := r.publish(20)
	top := sent[19].Position
	page := r.since(sent[4].Position, 15)
	r.page("with the exact limit", page, top, false, false)
	page = r.since(sent[4].Position, 14)
	r.page("one below the exact limit", page, top, false, true)
	expect(e.t, page.Messages, sent[5:19])
	page = r.since(sent[4].Position, 0)
	r.page("the position alone", page, top, false, true)
	expect(e.t, page.Messages, nil)
	page = r.since(top, 0)
	r.page("the position alone, at the top", page, top, false, false)

	var all []*hub.Message
	at := hub.Position{Epoch: top.Epoch}
	for range 10 {
		page := r.since(at, 7)
		r.page("paging", page, top, false, len(all)+len(page.Messages) < 20)
		if all = append(all, page.Messages...); !page.More || len(page.Messages) == 0 {
			break
		}
		at = page.Messages[len(page.Messages)-1].Position
	}
	expect(e.t, all, sent)
}

// lost checks the page of a reader that can not go on: the page says so, and has the oldest
// messages that are left.
func (r *room) lost(what string, since hub.Position, kept []*hub.Message, top hub.Position) {
	r.t.Helper()
	page := r.since(since, 1000)
	r.page(what, page, top, true, false)
	expect(r.t, page.Messages, kept)
	if len(kept) < 2 {
		return
	}
	page = r.since(since, len(kept)-1)
	r.page(what+", limited", page, top, true, true)
	expect(r.t, page.Messages, kept[:len(kept)-1])
}

func historyTrimmed(e *env) {
	r := e.attached(hub.Retention{Size: 5})
	sent := r.publish(12)
	kept, top := sent[7:], sent[11].Position
	page := r.newest(100)
	r.page("the newest", page, top, false, false)
	expect(e.t, page.Messages, kept)
	page = r.since(sent[6].Position, 100)
	r.page("since the last that was trimmed", page, top, false, false)
	expect(e.t, page.Messages, kept)
	r.lost("since the one before", sent[5].Position, kept, top)
	r.lost("since the beginning", hub.Position{Epoch: top.Epoch}, kept, top)
}

func historyOtherEpoch(e *env) {
	r := e.attached(hundred)
	sent := r.publish(5)
	other := sent[2].Position
	other.Epoch = "zzzzzzzz"
	r.lost("another epoch", other, sent, sent[4].Position)
	r.lost("no epoch", hub.Position{}, sent, sent[4].Position)
}

func historyAhead(e *env) {
	r := e.attached(hundred)
	sent := r.publish(5)
	top := sent[4].Position
	for _, offset := range []uint64{6, 1000, math.MaxInt64, math.MaxUint64} {
		r.lost(fmt.Sprintf("since %d", offset), hub.Position{Epoch: top.Epoch, Offset: offset}, sent, top)
	}
}

// The anchor reveals a log that went back in time and was written again.
func historyAnchor(e *env) {
	r := e.attached(hub.Retention{Size: 5})
	sent := r.publish(8)
	kept, top := sent[3:], sent[7].Position
	for _, i := range []int{3, 5, 7} {
		wrong, unknown := sent[i].Position, sent[i].Position
		wrong.Anchor += 2
		r.lost(fmt.Sprintf("another message at %d", wrong.Offset), wrong, kept, top)
		unknown.Anchor = 0
		page := r.since(unknown, 100)
		r.page(fmt.Sprintf("an unknown message at %d", unknown.Offset), page, top, false, false)
		expect(e.t, page.Messages, sent[i+1:])
	}
}

func historyEmpty(e *env) {
	r := e.attached(hundred)
	top := r.newest(10).Top
	if top.Epoch == "" || top.Offset != 0 || top.Anchor != 0 {
		e.t.Errorf("an attached room without messages is at %+v", top)
	}
	r.page("since the beginning", r.since(top, 10), top, false, false)
	r.lost("ahead of nothing", hub.Position{Epoch: top.Epoch, Offset: 1}, nil, top)

	nobodys := e.room(hundred)
	if page := nobodys.newest(10); len(page.Messages) != 0 || page.Top.Offset != 0 || page.Lost || page.More {
		e.t.Errorf("a room that was never used: %+v", page)
	}
	if page := nobodys.since(hub.Position{Epoch: "zzzzzzzz", Offset: 3}, 10); len(page.Messages) != 0 || !page.Lost {
		e.t.Errorf("a position in a room that was never used: %+v", page)
	}
}

// A client that saw a room before its first message goes on from there, whether or not the
// room was attached meanwhile.
func historyUnpublished(e *env) {
	for _, stays := range []bool{true, false} {
		r := e.attached(hundred)
		before := r.newest(10).Top
		if !stays {
			e.b.Detach(r.channel)
		}
		again := r.newest(10)
		r.page("still without messages", again, before, false, false)
		sent := r.publish(3)
		page := r.since(before, 10)
		r.page("since before the first message", page, sent[2].Position, false, false)
		expect(e.t, page.Messages, sent)
		if sent[0].Position.Epoch != before.Epoch || sent[0].Position.Offset != 1 {
			e.t.Errorf("the first message is at %+v, the room was at %+v", sent[0].Position, before)
		}
		if !stays {
			r.attach()
		}
		r.page("attached again", r.since(before, 10), sent[2].Position, false, false)
	}
}

func historyCancelled(e *env) {
	r := e.attached(hundred)
	ctx, cancel := context.WithCancel(e.t.Context())
	cancel()
	if _, err := e.b.History(ctx, r.channel, r.keep, hub.HistoryQuery{}); !errors.Is(err, context.Canceled) {
		e.t.Errorf("history with a cancelled context: %v", err)
	}
}

// Pages that are read while messages are published have no hole and end where they say.
func historyWhilePublishing(e *env) {
	r := e.attached(hundred)
	start := r.publish(1)[0].Position
	var done atomic.Bool
	e.concurrently(4, func(i int) error {
		if i == 0 {
			defer done.Store(true)
			for range 300 {
				if _, _, err := r.try(e.t.Context(), ""); err != nil {
					return err
				}
			}
			return nil
		}
		at := start
		for last := false; !last; {
			last = done.Load()
			page, err := e.b.History(e.t.Context(), r.channel, r.keep, hub.HistoryQuery{Since: &at, Limit: 20})
			if err != nil {
				return err
			}
			if at, err = follow(at, page); err != nil {
				return fmt.Errorf("reader %d: %w", i, err)
			}
		}
		return nil
	})
}

// follow checks a page that was read from at, and returns where the next page starts.
func follow(at hub.Position, page hub.HistoryPage) (hub.Position, error) {
	if n := len(page.Messages); page.Lost && n > 0 {
		// The reader was too slow for the room; it goes on with what is left.
		at = page.Messages[0].Position
		page.Messages = page.Messages[1:]
	}
	for _, m := range page.Messages {
		if m.Position.Epoch != at.Epoch || m.Position.Offset != at.Offset+1 {
			return at, fmt.Errorf("%+v follows %+v", m.Position, at)
		}
		at = m.Position
	}
	if !page.More && at != page.Top {
		return at, fmt.Errorf("the page ends at %+v, and the top is %+v", at, page.Top)
	}
	return at, nil
}

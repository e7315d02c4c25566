package disk

import (
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// maxPage bounds the bytes of messages that are read for a page, so that clients that are far
// behind do not fill the memory. A page has one message at least.
const maxPage = 4 << 20

// older returns the page of a query for which memory has too little, because the bound of memory has
// cost the room its oldest messages. If the file has no more than memory, it returns the page of
// memory. A message that the file has and that memory has not delivered yet stays out.
func (b *Broker) older(channel string, keep hub.Retention, q hub.HistoryQuery, page hub.HistoryPage) (hub.HistoryPage, error) {
	if !lacks(keep, q, page) {
		return page, nil
	}
	err := b.store.file.view(func(tx *bbolt.Tx) error {
		value := tx.Bucket(roomsBucket).Get([]byte(channel))
		if value == nil {
			return nil
		}
		r, err := decodeRoom(value)
		if err != nil || r.epoch != page.Top.Epoch || r.top < page.Top.Offset {
			return err
		}
		p := &paging{
			room: &r, channel: channel, messages: tx.Bucket(messagesBucket), top: page.Top, ttl: keep.TTL, now: time.Now(),
			oldest: max(r.first, page.Top.Offset+1-min(uint64(keep.Size), page.Top.Offset)),
		}
		if q.Since == nil {
			err = p.newest(q.Limit)
		} else {
			err = p.since(*q.Since, q.Limit)
		}
		if p.found && len(p.page.Messages) >= len(page.Messages) {
			page = p.page
		}
		return err
	})
	if err != nil {
		return hub.HistoryPage{}, unavailable(err)
	}
	return page, nil
}

// lacks reports whether the file may have more for a query than the page of memory.
func lacks(keep hub.Retention, q hub.HistoryQuery, page hub.HistoryPage) bool {
	if keep.Size <= 0 {
		return false
	}
	if q.Since == nil {
		return uint64(len(page.Messages)) < min(uint64(max(q.Limit, 0)), uint64(keep.Size), page.Top.Offset)
	}
	return page.Lost && q.Since.Epoch == page.Top.Epoch && q.Since.Offset < page.Top.Offset
}

// paging reads a page of a room.
type paging struct {
	room     *roomRecord
	channel  string
	messages *bbolt.Bucket
	top      hub.Position // of the room in memory
	oldest   uint64       // offset of the oldest message that the room still has
	ttl      time.Duration
	now      time.Time

	page  hub.HistoryPage
	found bool // the page answers the query
	bytes int
}

// since reads the messages after a position. It finds nothing if the room does not go on from there.
func (p *paging) since(at hub.Position, limit int) error {
	anchor, next := p.room.before, at.Offset+1
	if next < p.oldest {
		return nil
	}
	if at.Offset >= p.room.first {
		var err error
		if anchor, _, err = decodeHead(p.messages.Get(place(p.room.id, at.Offset))); err != nil {
			return err
		}
	}
	if at.Anchor != 0 && anchor != 0 && at.Anchor != anchor {
		return nil
	}
	_, stored, err := decodeHead(p.messages.Get(place(p.room.id, next)))
	if err != nil || p.expired(stored) {
		return err
	}
	last := min(p.top.Offset, at.Offset+uint64(max(limit, 0)))
	for ; next <= last; next++ {
		if more, err := p.add(next); err != nil {
			return err
		} else if !more {
			break
		}
	}
	p.found = true
	p.page.Top, p.page.More = p.top, next <= p.top.Offset
	return nil
}

// newest reads the newest messages.
func (p *paging) newest(limit int) error {
	for at := p.top.Offset; at >= p.oldest && len(p.page.Messages) < limit; at-- {
		if more, err := p.add(at); err != nil {
			return err
		} else if !more {
			break
		}
	}
	slices.Reverse(p.page.Messages)
	p.page.Top, p.found = p.top, true
	return nil
}

// add adds a message to the page. It returns false if the message has expired, or if the page is full.
func (p *paging) add(offset uint64) (more bool, err error) {
	value := p.messages.Get(place(p.room.id, offset))
	if p.bytes += len(value); p.bytes > maxPage && len(p.page.Messages) > 0 {
		return false, nil
	}
	m, stored, err := decodeMessage(value, p.channel, p.room.epoch, offset)
	if err != nil || p.expired(stored) {
		return false, err
	}
	p.page.Messages = append(p.page.Messages, m)
	return true, nil
}

func (p *paging) expired(stored time.Time) bool { return p.ttl > 0 && p.now.Sub(stored) >= p.ttl }

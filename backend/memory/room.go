package memory

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// messageBytes is what a kept message costs in addition to its texts: the struct, its slot
// in the log with the slack of the buffer, and the headers of the allocator.
const messageBytes = 256

type log = history.Log[*hub.Message]

// room is what the broker keeps for a channel.
type room struct {
	// Set when the room is made.
	channel string
	home    *shard

	// Guarded by the shard's mu.
	attached   int           // Attach minus Detach; below 0 while a Detach is early
	used       time.Duration // last use while nobody was attached, since Broker.born
	prev, next *room         // in the shard's idle list while attached is 0

	// Pins are added under the shard's mu and taken back without a lock.
	pins atomic.Int32

	mu sync.Mutex
	// Changed under mu. Read without it to see whether there is a log to drop.
	log atomic.Pointer[log]
	// Guarded by mu.
	loaded    bool          // false: Options.Durable may have a log
	keys      *keys         // nil: none
	retention hub.Retention // as of the latest call
	bytes     int64         // what Broker.used counts for log and keys
	keyed     int64         // what Broker.keyed counts for the keys
}

func (r *room) unpin() { r.pins.Add(-1) }

// keep applies a retention: it starts, trims or drops the log. The caller holds mu.
func (r *room) keep(now time.Time, to hub.Retention) {
	r.retention = to
	l := r.log.Load()
	switch {
	case to.Size > 0 && l != nil:
		l.Trim(now, history.Bounds(to))
	case to.Size > 0:
		r.log.Store(history.New[*hub.Message](history.Position{Epoch: r.home.epoch(r.channel)}, now))
	case l != nil:
		// Dropped and not just emptied: what is published from now on has no
		// position, so nobody may continue from an old one later.
		if published(l) {
			r.home.forgotten.Add(1)
		}
		r.log.Store(nil)
	}
}

// append stores m and returns its position, which is zero without a log. The caller holds
// mu.
func (r *room) append(now time.Time, m *hub.Message) hub.Position {
	l := r.log.Load()
	if l == nil {
		return hub.Position{}
	}
	e := history.Entry[*hub.Message]{Value: m, Anchor: m.Position.Anchor, Cost: cost(m)}
	return hub.Position(l.Append(now, e, history.Bounds(r.retention)))
}

func cost(m *hub.Message) int {
	// The capacity, because all of it is kept alive.
	return messageBytes + len(m.Channel) + cap(m.Content) + cap(m.Tags) + len(m.Event) + len(m.Sender)
}

// remember keeps an idempotency key. The caller holds mu.
func (r *room) remember(now time.Duration, key string, p hub.Position, digest uint32, o Options) {
	if r.keys == nil {
		r.keys = new(keys)
	}
	r.keys.add(now, key, p, digest, o)
}

// page answers a query. The caller holds mu.
func (r *room) page(q hub.HistoryQuery) hub.HistoryPage {
	l := r.log.Load()
	if l == nil {
		return hub.HistoryPage{}
	}
	top := hub.Position(l.Top())
	if q.Since == nil {
		return hub.HistoryPage{Messages: l.Newest(q.Limit), Top: top}
	}
	ms, o := l.Since(history.Position(*q.Since), q.Limit)
	more := o == history.More || o.Lost() && len(ms) < l.Len()
	return hub.HistoryPage{Messages: ms, Top: top, Lost: o.Lost(), More: more}
}

// tend drops what has expired. The caller holds mu.
func (r *room) tend(now time.Time, since time.Duration, o Options) {
	if l := r.log.Load(); l != nil {
		l.Trim(now, history.Bounds(r.retention))
	}
	if r.keys != nil && r.keys.expire(since, o.KeyWindow) {
		r.keys = nil
	}
}

// reduce cuts the room down to a number of bytes. The oldest messages go first, because
// clients are told that they are lost. The keys go after them. The caller holds mu.
func (r *room) reduce(bytes int64) {
	if l := r.log.Load(); l != nil {
		l.Reduce(int(max(bytes-r.keySize(), 0)))
	}
	if r.size() > bytes {
		r.keys = nil
	}
}

// size is the cost of log and keys. The caller holds mu.
func (r *room) size() int64 {
	n := r.keySize()
	if l := r.log.Load(); l != nil {
		n += int64(l.Bytes())
	}
	return n
}

// keySize is the cost of the keys. The caller holds mu.
func (r *room) keySize() int64 {
	if r.keys == nil {
		return 0
	}
	return keysBytes + r.keys.size()
}

// bare reports whether the room can be dropped without a loss: it has no keys, and no
// message was ever published to its log. The caller holds mu, or nobody else may use the
// room.
func (r *room) bare() bool { return !published(r.log.Load()) && r.keys == nil }

// published reports whether a log has or had entries.
func published(l *log) bool { return l != nil && l.Top().Offset > 0 }

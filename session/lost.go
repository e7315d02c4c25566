package session

import (
	"cmp"
	"container/list"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	// lostTime is how long another connection may take the place of a lost one.
	lostTime = 30 * time.Second
	// maxLostRooms bounds the rooms of all records together, with the records that have a ticket and what their
	// trails count for. Beyond it the oldest records are dropped.
	maxLostRooms = 50_000
	// maxLostRoomsEach bounds the rooms of one record.
	maxLostRoomsEach = 100
	// maxLostTabs bounds the records of one user, or one member, in one room.
	maxLostTabs = 16
	// maxLostIDs bounds the ids of one record.
	maxLostIDs = 8
)

// lostConns are records of lost connections, for dialects whose clients do not say where they were.
// One connection may take the place of a lost one, if it proves that it is of the same user or, in one
// room, of the same member, or if it has the [Ticket] of the lost one. Records are of this node. They are
// dropped when the next one is added or searched.
type lostConns struct {
	most int // rooms, see maxLostRooms; static after New

	mu    sync.Mutex
	queue list.List // of *lostConn with something left, oldest first
	rooms int       // of all records, as maxLostRooms counts
	by    map[lostKey][]*lostConn

	issuers map[string]*Session // sessions with tickets and without records, by the connection, also if it has ended
}

// lostKey finds the records that have a room, by either the user or the member. A record with a ticket is
// found by the id of the ticket, or by that of the connection.
type lostKey struct{ scope, channel, user, member, ticket, connection string }

// lostConn is the record of one connection. lostConns.mu guards it.
type lostConn struct {
	at          time.Time
	scope, user string
	ids         []string // of the connection, and of those whose place it took
	rooms       map[string]lostRoom
	heir        *Session // the session that takes the place; nil: none yet

	place  *list.Element // in lostConns.queue; nil: not there
	ticket *lostTicket   // nil: the user or the member counts
}

// lostRoom is how far the connection was in one room, and its member there if the dialect verified it.
type lostRoom struct {
	position hub.Position
	member   string
}

// keys are those under which a room of the record is found.
func (n *lostConn) keys(channel string) (all []lostKey) {
	if member := n.rooms[channel].member; member != "" {
		all = append(all, lostKey{scope: n.scope, channel: channel, member: member})
	}
	if n.user != "" {
		all = append(all, lostKey{scope: n.scope, channel: channel, user: n.user})
	}
	return all
}

// leavesRecord reports whether a connection that ended so may get a successor. A client that closed the
// connection itself starts anew.
func leavesRecord(r hub.Reason) bool {
	return slices.Contains([]hub.Reason{hub.ReasonLost, hub.ReasonSilent, hub.ReasonSlow, hub.ReasonRestart}, r)
}

// add makes the record of a session that has ended, if it subscribed with [SubscribeOptions.Recover] or has a
// [Ticket]. It reports whether the connection may be resumed by a ticket.
func (l *lostConns) add(s *Session, reason hub.Reason) (resumable bool) {
	if trail := s.conn.Trail(); trail != nil {
		return l.addTickets(s, trail, reason)
	} else if leavesRecord(reason) {
		n := s.recordLost(s.conn.Standings())
		l.mu.Lock()
		defer l.mu.Unlock()
		l.purge(n.at)
		l.inherit(n, s.inherits)
		l.push(n)
	}
	return false
}

// recordLost makes the record of the session. A room counts where its client is known.
func (s *Session) recordLost(standings []hub.Standing) *lostConn {
	n := &lostConn{at: time.Now(), user: s.User(), ids: []string{s.conn.ID()}, rooms: make(map[string]lostRoom)}
	for _, at := range standings {
		p := s.place(at.Channel)
		room := lostRoom{position: at.Position}
		if p.pass != nil && p.pass.Member != nil {
			room.member = p.pass.Member.ID
		}
		if n.scope = p.recovers; len(n.rooms) < maxLostRoomsEach && (n.user != "" || room.member != "") {
			n.rooms[at.Channel] = room
		}
	}
	return n
}

// inherit moves what is left of the record whose place the lost connection took: the client was lost
// again before it came to all its rooms. Needs mu.
func (l *lostConns) inherit(n, from *lostConn) {
	if from == nil || n.at.Sub(from.at) >= lostTime {
		return
	}
	n.scope = cmp.Or(n.scope, from.scope)
	n.ids = append(n.ids, from.ids[:min(len(from.ids), maxLostIDs-1)]...)
	for channel, room := range from.rooms {
		if _, newer := n.rooms[channel]; !newer && len(n.rooms) < maxLostRoomsEach && (n.user == from.user || room.member != "") {
			n.rooms[channel] = room
		}
		l.take(from, channel)
	}
}

// push adds a record. Needs mu.
func (l *lostConns) push(n *lostConn) {
	if len(n.rooms) == 0 {
		return
	}
	if l.by == nil {
		l.by = make(map[lostKey][]*lostConn)
	}
	n.place = l.queue.PushBack(n)
	l.rooms += len(n.rooms)
	for channel := range n.rooms {
		for _, key := range n.keys(channel) {
			if same := l.by[key]; len(same) >= maxLostTabs {
				l.take(same[0], channel)
			}
			l.by[key] = append(l.by[key], n)
		}
	}
	l.shrink()
}

// shrink drops the oldest records while there are too many rooms. Needs mu.
func (l *lostConns) shrink() {
	for l.rooms > l.most {
		l.drop(l.queue.Front().Value.(*lostConn))
	}
}

// life is how long a record counts.
func (n *lostConn) life() time.Duration {
	if n.ticket != nil {
		return n.ticket.Life
	}
	return lostTime
}

// purge drops the oldest records, up to the first one that is not too old. Needs mu.
func (l *lostConns) purge(now time.Time) {
	for e := l.queue.Front(); e != nil; e = l.queue.Front() {
		n := e.Value.(*lostConn)
		if now.Sub(n.at) < n.life() {
			return
		}
		l.drop(n)
	}
}

// drop drops a record. Needs mu.
func (l *lostConns) drop(n *lostConn) {
	if n.ticket != nil {
		l.takeTicket(n)
		return
	}
	for channel := range n.rooms {
		l.take(n, channel)
	}
}

// take removes a room from a record and returns it. A record without rooms is dropped. Needs mu.
func (l *lostConns) take(n *lostConn, channel string) lostRoom {
	room := n.rooms[channel]
	for _, key := range n.keys(channel) {
		l.forget(key, n)
	}
	delete(n.rooms, channel)
	if l.rooms--; len(n.rooms) == 0 {
		l.unqueue(n)
	}
	return room
}

// forget removes a record from those that a key finds. Needs mu.
func (l *lostConns) forget(key lostKey, n *lostConn) {
	all := slices.DeleteFunc(l.by[key], func(o *lostConn) bool { return o == n })
	if l.by[key] = all; len(all) == 0 {
		delete(l.by, key)
	}
}

// unqueue removes a record from the queue. Needs mu.
func (l *lostConns) unqueue(n *lostConn) {
	if n.place != nil {
		l.queue.Remove(n.place)
		n.place = nil
	}
}

// missed is what a session gets in a room in the place of a lost connection.
type missed struct {
	since  hub.Position
	except []string // the ids of the connections whose place it takes
}

// claim takes the place of a lost connection in a room; nil if there is none. member is empty unless
// the dialect has verified it. A record is for one session, and a session has one record, so that
// two tabs of a user do not get the same.
func (l *lostConns) claim(s *Session, scope, channel, member string) *missed {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.purge(time.Now())
	for _, key := range []lostKey{{scope: scope, channel: channel, member: member}, {scope: scope, channel: channel, user: s.User()}} {
		if key.member == "" && key.user == "" {
			continue
		}
		for _, n := range slices.Backward(l.by[key]) { // the newest is the likeliest
			if time.Since(n.at) >= lostTime { // an older record that lives longer keeps it from being purged
				break
			}
			if n.heir == s || n.heir == nil && s.inherits == nil {
				n.heir, s.inherits = s, n
				return &missed{l.take(n, channel).position, n.ids}
			}
		}
	}
	return nil
}

// recover makes a subscription go on where a lost connection of the same client was, if there is one.
func (s *Session) recover(q *protocol.Subscribe, o *hub.SubscribeOptions, scope string) {
	member := ""
	if p := s.changePlace(q.Channel, func(p *place) { p.recovers = scope }); p.pass != nil && p.pass.Member != nil {
		member = p.pass.Member.ID
	}
	o.Track = true
	if m := s.registry.lost.claim(s, scope, q.Channel, member); m != nil {
		o.Recover, o.Successor = &m.since, m.except
	}
}

// Recover sends the client what it missed in the rooms that it has subscribed to with
// [SubscribeOptions.Recover]. A dialect calls it when the client has signed in, because until
// then nothing may have proved whose connection it is. Only the transport's reader calls it.
func (s *Session) Recover(ctx context.Context) {
	for _, channel := range s.conn.Channels() {
		scope := s.place(channel).recovers
		if scope == "" {
			continue
		}
		m := s.registry.lost.claim(s, scope, channel, "")
		if m == nil {
			continue
		}
		if _, err := s.registry.hub.Replay(ctx, s.conn, channel, m.since, m.except); err != nil {
			s.registry.rules.failed("recover", err)
		}
	}
}

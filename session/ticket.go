package session

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// MaxTicketLife is the greatest [Ticket.Life]: kicks are remembered for so long.
const MaxTicketLife = keepKicks

// Ticket lets the next connection of a client resume a lost one: its id, its rooms and what it missed there.
type Ticket struct {
	// ID is a secret between the server and the client. Whoever has it, and the same user, may resume.
	ID string
	// Group are the rooms that the ticket is for, see [hub.Conn.KeepTrail].
	Group string
	// Life is how long the ticket counts after the connection has ended, at most [MaxTicketLife].
	Life time.Duration
}

// lostTicket is a ticket of a lost connection. Static.
type lostTicket struct {
	Ticket
	trail    *lostTrail
	realm    string
	since    time.Time // when the connection started
	enrolled []string  // the rooms to which the app has subscribed the connection
}

// lostTrail is the trail of a lost connection. Its records share it.
type lostTrail struct {
	*hub.Trail          // static
	rooms      []string // those of the trail, static
	records    int      // how many there are; lostConns.mu guards it
}

// channels are the rooms of the ticket in which the connection was at its end.
func (t *lostTicket) channels() []string { return t.trail.Channels(t.Group) }

// Issue notes that the client has a ticket. The connection keeps a trail, see [hub.Conn.KeepTrail].
func (s *Session) Issue(t Ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.recorded {
		s.tickets = append(s.tickets, &t)
		s.registry.lost.noteIssuer(s, "")
	}
}

// Void notes that a ticket does not count any more.
func (s *Session) Void(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tickets = slices.DeleteFunc(s.tickets, func(t *Ticket) bool { return t.ID == id })
}

// isResumable reports whether a connection that ended so may be resumed: it is not if the server or the app
// does not want the client. A client that leaves for good voids its tickets.
func isResumable(r hub.Reason) bool {
	return leavesRecord(r) || r == hub.ReasonNormal || r.Text == hub.ByClient || r == protocol.ReasonTokenExpired || r == changed
}

// addTickets makes a record of each ticket of a session that has ended, and reports whether there is one. The session's
// lock is held meanwhile, so that voidIf finds either the ticket or its record.
func (l *lostConns) addTickets(s *Session, trail *hub.Trail, reason hub.Reason) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.recordTickets(trail)
	s.tickets, s.recorded = nil, true
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.issuers, s.conn.ID())
	if len(all) == 0 || !isResumable(reason) {
		return false
	}
	l.purge(all[0].at)
	for _, n := range all {
		l.pushTicket(n)
	}
	return true
}

// recordTickets makes a record of each ticket of a session that has ended. Needs mu.
func (s *Session) recordTickets(trail *hub.Trail) (all []*lostConn) {
	now, p, shared := time.Now(), s.who(), &lostTrail{Trail: trail, rooms: trail.All()}
	for _, t := range s.tickets {
		n := &lostConn{at: now, user: p.User, ids: []string{s.conn.ID()}}
		n.ticket = &lostTicket{Ticket: *t, trail: shared, realm: p.Realm, since: s.since()}
		for _, channel := range n.ticket.channels() {
			if s.places[channel].enrolled {
				n.ticket.enrolled = append(n.ticket.enrolled, channel)
			}
		}
		all = append(all, n)
	}
	return all
}

// ticketKeys are those under which a record with a ticket is found.
func (n *lostConn) ticketKeys() [2]lostKey {
	return [...]lostKey{{ticket: n.ticket.ID}, {connection: n.ids[0]}}
}

// pushTicket adds a record with a ticket. The record counts as one entry, also of a connection that was in no room; what
// the trail counts for is shared by the records of the connection. Needs mu.
func (l *lostConns) pushTicket(n *lostConn) {
	if l.by == nil {
		l.by = make(map[lostKey][]*lostConn)
	}
	n.place = l.queue.PushBack(n)
	if l.rooms++; n.ticket.trail.records == 0 {
		l.rooms += n.ticket.trail.Size()
	}
	n.ticket.trail.records++
	for _, key := range n.ticketKeys() {
		l.by[key] = append(l.by[key], n)
	}
	l.shrink()
}

// takeTicket removes a record with a ticket. Needs mu.
func (l *lostConns) takeTicket(n *lostConn) {
	for _, key := range n.ticketKeys() {
		l.forget(key, n)
	}
	n.ticket.trail.records--
	if l.rooms--; n.ticket.trail.records == 0 {
		l.rooms -= n.ticket.trail.Size()
	}
	l.unqueue(n)
}

// redeem removes and returns the record of a ticket; nil if there is none.
func (l *lostConns) redeem(id string) *lostConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.purge(time.Now())
	all := l.by[lostKey{ticket: id}]
	if len(all) == 0 {
		return nil
	}
	n := all[0]
	l.takeTicket(n)
	if time.Since(n.at) >= n.life() {
		return nil
	}
	return n
}

// void drops the records with a ticket of a connection, or of all connections of a user, that were in a
// channel; empty: whatever their channels are.
func (l *lostConns) void(to Target, channel string) {
	var ids []string
	if to.Connection != "" {
		ids = []string{to.Connection}
	}
	l.voidIf(ids, func(n *lostConn) bool {
		return (ids != nil || n.user == to.User) && (channel == "" || slices.Contains(n.ticket.channels(), channel))
	})
}

// voidIf drops the records with a ticket for which is returns true. It looks at those of the connections
// with these ids; nil: at all. A connection that has ended and has no record yet counts as well. So whoever does
// something to live connections first, and then calls voidIf, misses none.
func (l *lostConns) voidIf(ids []string, is func(*lostConn) bool) {
	for _, s := range l.issuersOf(ids) {
		if trail := s.conn.Trail(); trail != nil {
			s.voidEnded(trail, is)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*lostConn
	for _, id := range ids {
		all = append(all, l.by[lostKey{connection: id}]...)
	}
	for e := l.queue.Front(); e != nil && ids == nil; e = e.Next() {
		if n := e.Value.(*lostConn); n.ticket != nil {
			all = append(all, n)
		}
	}
	for _, n := range all {
		if n.place != nil && is(n) { // an id may be there twice
			l.takeTicket(n)
		}
	}
}

// voidEnded drops those tickets of a session that has ended for whose records is returns true.
func (s *Session) voidEnded(trail *hub.Trail, is func(*lostConn) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var left []*Ticket
	for i, n := range s.recordTickets(trail) {
		if !is(n) {
			left = append(left, s.tickets[i])
		}
	}
	s.tickets = left
}

// noteIssuer notes that a session has tickets. was is the former id of its connection; empty: none.
func (l *lostConns) noteIssuer(s *Session, was string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.issuers == nil {
		l.issuers = make(map[string]*Session)
	}
	delete(l.issuers, was)
	l.issuers[s.conn.ID()] = s
}

// issuersOf returns the sessions without records that have tickets, of the connections with these ids; nil: all.
func (l *lostConns) issuersOf(ids []string) (found []*Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ids == nil {
		return slices.Collect(maps.Values(l.issuers))
	}
	for _, id := range ids {
		if s := l.issuers[id]; s != nil {
			found = append(found, s)
		}
	}
	return found
}

// VoidTickets drops all tickets of those lost connections of this node for which is returns true, so that
// their clients start anew. It looks at the connections with these ids; nil: at all. is gets the
// id of the connection and the rooms in which it was, which it must not change; it must not block.
// What is done to live connections is done before.
func (r *Registry) VoidTickets(ids []string, is func(id string, rooms []string) bool) {
	r.lost.voidIf(ids, func(n *lostConn) bool { return is(n.ids[0], n.ticket.trail.rooms) })
}

// Resumption is what a client says that has a ticket.
type Resumption struct {
	Ticket string
	// Group is that of the ticket.
	Group string
	// Last is the position of the last message of the group that the client has; nil: it has none.
	Last *hub.Position
	// First says that the client knows nothing of this connection yet, so that it may get another id.
	First bool
	// Reply makes what is queued before the messages that the client missed.
	Reply func() []hub.Event
}

// Resume goes on where a lost connection of the client was: with its id, in its rooms, and with what was
// published there meanwhile. It reports whether the session does. If it does not, it is in none of the
// rooms, the client is sent nothing, and the ticket counts no more: the record is not there or too old, the client is
// another user, may not be in one of the rooms any more, or missed more than a room still has. Only the
// transport's reader calls it.
func (s *Session) Resume(ctx context.Context, q Resumption) (done bool) {
	defer s.recovered()
	n := s.registry.lost.redeem(q.Ticket)
	if n == nil || !s.fits(n, &q) {
		return false
	}
	standings, ok := n.ticket.trail.After(q.Group, q.Last)
	if !ok {
		return false
	}
	u := s.registry.rules.Load()
	rooms, docs := make([]hub.Resumption, 0, len(standings)), make([]*following, 0, len(standings))
	defer func() {
		if !done {
			s.leaveResumed(rooms)
		}
	}()
	for _, at := range standings {
		if slices.Contains(n.ticket.enrolled, at.Channel) {
			s.setEnrolled(at.Channel, true)
		}
		rooms = append(rooms, hub.Resumption{Standing: at, Interests: s.interests(u, at.Channel), Selector: s.selector(u, at.Channel)})
		doc, e := s.prepare(ctx, u, protocol.Subscribe{Channel: at.Channel})
		if e != nil {
			return false
		}
		docs = append(docs, doc)
	}
	done, err := s.registry.hub.Resume(ctx, s.conn, rooms, n.ids[0], func() []hub.Event {
		for _, doc := range docs {
			if doc.read(ctx); doc.failed() {
				return nil
			}
		}
		if !s.rename(n.ids[0]) {
			return nil
		}
		return q.Reply()
	})
	if err != nil {
		s.registry.rules.failed("resume", err)
	}
	if done {
		s.resumed(u, rooms)
	}
	return done
}

// fits reports whether a record is one of this client.
func (s *Session) fits(n *lostConn, q *Resumption) bool {
	p := s.who()
	switch {
	case n.user != p.User, n.ticket.realm != p.Realm, n.ticket.Group != q.Group:
		return false
	case !q.First && n.ids[0] != s.conn.ID():
		return false
	}
	return !s.registry.Kicks.recent.covers(n.user, n.ticket.since)
}

// resumed completes subscriptions that are resumed.
func (s *Session) resumed(u *rules, rooms []hub.Resumption) {
	now := s.registry.rules.Load()
	for _, room := range rooms {
		s.enterPresence(now, room.Channel, protocol.Appearance{}, nil)
		s.applyNewer(u, func(newer *rules) { s.applyToRoom(newer, s.conn, room.Channel) })
	}
	if s.followed() {
		s.tell("resumed", "rooms", len(rooms))
	}
}

// leaveResumed forgets rooms that could not be resumed.
func (s *Session) leaveResumed(rooms []hub.Resumption) {
	for _, room := range rooms {
		s.unfollow(room.Channel)
		s.changePlace(room.Channel, func(p *place) { *p = place{} })
	}
}

// rename gives the connection the id of the lost one. To those who are notified of connections it is that
// one again.
func (s *Session) rename(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	if s.conn.ID() == id {
		return true
	}
	was := s.conn.ID()
	if !s.registry.hub.Rename(s.conn, id) {
		return false
	}
	if len(s.tickets) > 0 {
		s.registry.lost.noteIssuer(s, was)
	}
	if w := s.registry.sessions.watch.Load(); w != nil {
		(*w).Disconnect(was, s.who().User)
	}
	s.report(Connections.Connect)
	return true
}

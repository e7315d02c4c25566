package session

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// WithPresence has rooms with presence know their members. Without it no room has
// presence. It is called before the first session is opened, and returns r.
func (r *Registry) WithPresence(t *presence.Tracker) *Registry {
	r.members = t
	return r
}

// Members reads the members of a room for a caller of the HTTP API. Errors are those
// of [Registry.May], RATE_LIMITED and, when the store fails, UNAVAILABLE or
// INTERNAL.
func (r *Registry) Members(ctx context.Context, c Caller, channel string, q presence.Query) (presence.Page, *protocol.Error) {
	if e := r.spend(c); e != nil {
		return presence.Page{}, e
	}
	u := r.rules.Load()
	room, e := u.room(c, policy.Presence, channel)
	if e != nil {
		return presence.Page{}, e
	}
	if r.members == nil || room == nil || room.Members == nil {
		return presence.Page{}, withoutPresence()
	}
	if e := u.consult(ctx, c, auth.Subscribe, channel); e != nil {
		return presence.Page{}, e
	}
	page, err := r.members.Members(ctx, channel, q)
	return page, r.failed("presence", err)
}

func withoutPresence() *protocol.Error {
	return protocol.Errorf(protocol.Forbidden, "this channel has no presence")
}

// snapshotWait is when a client may ask again whose snapshots are still on their way.
const snapshotWait = 200 * time.Millisecond

// members answers `presence`: with who is there, or by changing the own member.
func members(_ context.Context, s *Session, c protocol.Command) *protocol.Error {
	q, e := protocol.DecodePresence(c.Payload)
	if e != nil {
		return e
	}
	stay, e := s.stay(q.Channel)
	if e != nil {
		return e
	}
	if !q.IsZero() {
		return s.update(stay, q, c.ID)
	}
	if e := s.registry.rules.Load().may(s.caller(), policy.Presence, q.Channel); e != nil {
		return e
	}
	if err := stay.Snapshot(q.After, s.show(c.ID)); err != nil {
		return rateLimited(snapshotWait, "snapshots that are not delivered yet")
	}
	return nil
}

func (s *Session) update(a *attendance, q protocol.Presence, id json.RawMessage) *protocol.Error {
	if err := a.Update(q.Change()); err != nil {
		return protocol.Errorf(protocol.InvalidMessage, "%s", err)
	}
	if s.who().User == "" {
		s.remember(a, q.Appearance)
	}
	if id != nil {
		s.conn.Send(protocol.Ack{ID: id, Channel: q.Channel})
	}
	return nil
}

func (s *Session) remember(a *attendance, said protocol.Appearance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.said.Status = cmp.Or(said.Status, a.said.Status)
	if said.Info != nil {
		a.said.Info = said.Info
	}
}

// stay gives the session's stay in a room with presence.
func (s *Session) stay(channel string) (*attendance, *protocol.Error) {
	s.mu.Lock()
	stay := s.stays[channel]
	s.mu.Unlock()
	switch {
	case stay != nil:
		return stay, nil
	case slices.Contains(s.conn.Channels(), channel):
		return nil, withoutPresence()
	}
	return nil, notSubscribed()
}

// show sends the session's client a snapshot.
func (s *Session) show(id json.RawMessage) func(*presence.Snapshot) {
	conn := s.connection()
	return func(snapshot *presence.Snapshot) {
		conn.Send(protocol.PresenceEvent{ID: id, Frame: snapshot.WithSelf()})
	}
}

// interests are what of a room's events the session may see.
func (s *Session) interests(u *rules, channel string) uint8 {
	room, e := u.room(s.caller(), policy.Presence, channel)
	if e != nil || room == nil || room.Members == nil {
		return 0
	}
	return protocol.InterestPresence
}

// attendance is the session's stay in a room, and what an anonymous client has said
// of itself there, for the time when it says who it is and becomes another member.
type attendance struct {
	*presence.Stay
	said protocol.Appearance // guarded by Session.mu; zero if there is a user
}

// enter makes the session one of its member's in a room with presence, if it is
// not. The client has just subscribed, or presence was turned on.
func (s *Session) enter(u *rules, channel string, a protocol.Appearance) {
	room, tracker := u.policy.Match(channel), s.registry.members
	if tracker == nil || room == nil || room.Members == nil {
		return
	}
	var deliver func(*presence.Snapshot)
	if s.interests(u, channel) != 0 {
		deliver = s.show(nil)
	}
	conn, change := s.connection(), a.Change()
	p := s.who()
	change.Server = p.Info
	stay, err := tracker.Enter(channel, presence.Who{Connection: conn.ID(), User: p.User}, change, deliver)
	if err != nil {
		u.log.Error("presence failed", "error", err, "connection", conn.ID())
		return
	}
	if p.User != "" {
		a = protocol.Appearance{}
	}
	if !s.keep(channel, &attendance{stay, a}) {
		stay.Lose()
	} else if !slices.Contains(conn.Channels(), channel) {
		s.depart(channel) // it was taken out of the room meanwhile
	}
}

// keep remembers a stay. False: the connection is over, or has one already.
func (s *Session) keep(channel string, a *attendance) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.stays[channel]; there || s.over {
		return false
	}
	if s.stays == nil {
		s.stays = make(map[string]*attendance)
	}
	s.stays[channel] = a
	return true
}

// present reports whether the session has a stay in a room.
func (s *Session) present(channel string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stays[channel] != nil
}

// depart ends a stay because the client left the room.
func (s *Session) depart(channel string) {
	s.mu.Lock()
	stay := s.stays[channel]
	delete(s.stays, channel)
	s.mu.Unlock()
	if stay != nil {
		stay.Leave()
	}
}

// vanish ends all stays with the connection: at once if somebody meant it, else
// with the room's grace, because the client may come back.
func (s *Session) vanish(reason hub.Reason) {
	s.mu.Lock()
	stays := s.stays
	s.stays, s.over = nil, true
	s.stopTimer()
	s.mu.Unlock()
	for _, stay := range stays {
		if meant(reason) {
			stay.Leave()
		} else {
			stay.Lose()
		}
	}
}

// meant tells an end after which the client is expected back from others.
// A browser that leaves the page says 1001, also when it loads the same one again.
func meant(r hub.Reason) bool {
	return !protocol.MayReconnect(r.Code)
}

// regard adapts a live subscription to new rules about presence.
func (s *Session) regard(u *rules, conn *hub.Conn, channel string) {
	s.registry.hub.Interest(conn, channel, s.interests(u, channel))
	room := u.policy.Match(channel)
	switch wanted, there := room != nil && room.Members != nil, s.present(channel); {
	case wanted && !there:
		s.enter(u, channel, protocol.Appearance{})
	case there && !wanted:
		s.depart(channel)
		// Nobody would be told of changes any more: there are no members to know of.
		conn.Send(protocol.PresenceEvent{Frame: &presence.Snapshot{Channel: channel}})
	}
}

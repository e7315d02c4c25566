package session

import (
	"bytes"
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

// Presence reads the members of rooms. What sessions do in rooms with presence is below.
type Presence struct {
	// Static before the first session is opened.
	rules   *current
	rates   *Rates
	tracker *presence.Tracker // nil: no room has presence
}

// Members reads the members of a room for a caller of the HTTP API. Errors are those
// of [Registry.May], RATE_LIMITED and, when the store fails, UNAVAILABLE or
// INTERNAL.
func (p *Presence) Members(ctx context.Context, c Caller, channel string, q presence.Query) (presence.Page, *protocol.Error) {
	if e := p.rates.spend(c); e != nil {
		return presence.Page{}, e
	}
	u := p.rules.Load()
	room, e := u.room(c, policy.Presence, channel)
	if e != nil {
		return presence.Page{}, e
	}
	if p.tracker == nil || room == nil || room.Members == nil {
		return presence.Page{}, withoutPresence()
	}
	if e := u.askApp(ctx, c, auth.Subscribe, channel); e != nil {
		return presence.Page{}, e
	}
	page, err := p.tracker.Members(ctx, channel, q)
	return page, p.rules.failed("presence", err)
}

func withoutPresence() *protocol.Error {
	return protocol.Errorf(protocol.Forbidden, "this channel has no presence")
}

// snapshotWait is how long a client must wait for another snapshot, while too many are not
// delivered yet.
const snapshotWait = 200 * time.Millisecond

// Members requests a snapshot of a room's members: the page after an id, with the client's
// own member in it. deliver is called with it when the room was read, after the changes that
// are in the snapshot were announced; it must not block. Errors: those of [Registry.May],
// NOT_SUBSCRIBED, FORBIDDEN without presence, and RATE_LIMITED while too many snapshots are
// not delivered yet.
func (s *Session) Members(channel, after string, deliver func(*presence.Snapshot)) *protocol.Error {
	stay, e := s.stay(channel)
	if e != nil {
		return e
	}
	if e := s.registry.rules.Load().may(s.callerIn(channel), policy.Presence, channel); e != nil {
		return e
	}
	if err := stay.Snapshot(after, withSelf(deliver)); err != nil {
		return rateLimited(snapshotWait, "snapshots that are not delivered yet")
	}
	return nil
}

// ShowMembers is Members for a dialect that shows them by events of its own, see
// [SubscribeOptions.Members].
func (s *Session) ShowMembers(channel string, members Members) *protocol.Error {
	return s.Members(channel, "", s.shows(channel, members))
}

// Update changes what the client says about itself in a room. Errors: NOT_SUBSCRIBED,
// FORBIDDEN without presence, and INVALID_MESSAGE.
func (s *Session) Update(channel string, a protocol.Appearance) *protocol.Error {
	stay, e := s.stay(channel)
	if e != nil {
		return e
	}
	if err := stay.Update(a.Change()); err != nil {
		return protocol.Errorf(protocol.InvalidMessage, "%s", err)
	}
	if s.who().User == "" {
		s.remember(stay, a)
	}
	return nil
}

// remember records what an anonymous client said about itself, see attendance.
func (s *Session) remember(a *attendance, said protocol.Appearance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.said == nil {
		a.said = new(protocol.Appearance)
	}
	a.said.Status = cmp.Or(said.Status, a.said.Status)
	if said.Info != nil {
		a.said.Info = said.Info
	}
}

// HasSpace returns LIMIT_EXCEEDED if a room has most members, and the one that the client would be with
// a pass is not among them. Members of this node count as soon as they have entered. A few may enter at the same
// time all the same, and on other nodes. Other errors are UNAVAILABLE and INTERNAL.
func (s *Session) HasSpace(ctx context.Context, channel string, pass *Pass, most int) *protocol.Error {
	u, p := s.registry.rules.Load(), &s.registry.Presence
	if room := u.policy.Match(channel); p.tracker == nil || room == nil || room.Members == nil {
		return nil
	}
	page, err := p.tracker.Members(ctx, channel, presence.Query{})
	if err != nil || max(page.Count, p.tracker.Entered(channel)) < most {
		return p.rules.failed("presence", err)
	}
	key := cmp.Or(s.who().User, s.conn.ID())
	if pass != nil && pass.Member != nil {
		key = pass.Member.ID
	}
	there, err := p.tracker.Present(ctx, channel, key, presence.Either)
	if err == nil && !there {
		return protocol.Errorf(protocol.LimitExceeded, "the channel has %d members, and no more are allowed", most)
	}
	return p.rules.failed("presence", err)
}

// stay returns the session's stay in a room with presence.
func (s *Session) stay(channel string) (*attendance, *protocol.Error) {
	if e := s.MustAuthenticate(); e != nil {
		return nil, e
	}
	s.mu.Lock()
	stay := s.stays.in(channel)
	s.mu.Unlock()
	switch {
	case stay != nil:
		return stay, nil
	case !slices.Contains(s.conn.Channels(), channel):
		return nil, notSubscribed()
	}
	return nil, s.registry.Presence.notEntered(channel)
}

// notEntered returns why a subscriber of a room has no stay in it. A stay follows the subscription, so
// the client of a stream may ask in between: it is told of the first channel while others are subscribed.
func (p *Presence) notEntered(channel string) *protocol.Error {
	if room := p.rules.Load().policy.Match(channel); p.tracker == nil || room == nil || room.Members == nil {
		return withoutPresence()
	}
	return retry(protocol.Unavailable, "you are entering the channel; send it again", 100*time.Millisecond, 200*time.Millisecond)
}

// show returns a function that sends the client a snapshot that it did not request.
func (s *Session) show(channel string) func(*presence.Snapshot) {
	conn := s.connection()
	return withSelf(func(snapshot *presence.Snapshot) {
		s.registry.hub.Show(conn, channel, 0, protocol.PresenceEvent{Frame: snapshot})
	})
}

// shows returns a function that shows the client a snapshot by events of the dialect. What the
// snapshot has is not announced to the client again.
func (s *Session) shows(channel string, members Members) func(*presence.Snapshot) {
	conn := s.connection()
	return func(snapshot *presence.Snapshot) {
		s.registry.hub.Show(conn, channel, snapshot.Seq, members(snapshot)...)
	}
}

// withSelf adds the client's own member to the snapshot before it is delivered.
func withSelf(deliver func(*presence.Snapshot)) func(*presence.Snapshot) {
	return func(snapshot *presence.Snapshot) { deliver(snapshot.WithSelf()) }
}

// interests are the events of a room that the session may see, beside messages.
func (s *Session) interests(u *rules, channel string) uint8 {
	room, e := u.room(s.callerIn(channel), policy.Presence, channel)
	if e != nil || room == nil || room.Members == nil {
		return 0
	}
	return protocol.InterestPresence
}

// attendance is the session's stay in a room, and what an anonymous client has said about
// itself there. When the client authenticates, its new member says the same.
type attendance struct {
	*presence.Stay
	channel string               // static
	said    *protocol.Appearance // guarded by Session.mu; nil if the client said nothing, or there is a user
}

// appearance returns what the client has said about itself. Needs Session.mu, or a stay that is in
// no session any more.
func (a *attendance) appearance() (said protocol.Appearance) {
	if a.said != nil {
		said = *a.said
	}
	return said
}

// stays are the stays of one session. Most sessions have one or none, and a map would cost each of
// them 300 bytes.
type stays []*attendance

// in returns the stay in a room, or nil.
func (s stays) in(channel string) *attendance {
	for _, a := range s {
		if a.channel == channel {
			return a
		}
	}
	return nil
}

// remove removes and returns the stay in a room, or nil.
func (s *stays) remove(channel string) *attendance {
	a := s.in(channel)
	if a != nil {
		*s = slices.DeleteFunc(*s, func(b *attendance) bool { return a == b })
	}
	return a
}

// enterPresence adds the session to its member in a room with presence, unless it is there.
// The client has just subscribed, or presence was turned on. show is [SubscribeOptions.Members].
func (s *Session) enterPresence(u *rules, channel string, a protocol.Appearance, show Members) {
	room, tracker := u.policy.Match(channel), s.registry.Presence.tracker
	if tracker == nil || room == nil || room.Members == nil {
		return
	}
	for !s.enterAs(s.who(), u, channel, a, show) {
	}
}

// enterAs enters as the member of a principal. It returns false if the session has another
// principal by now, which may happen while a reload turns presence on: then the member that
// was entered has left again.
func (s *Session) enterAs(p *Principal, u *rules, channel string, a protocol.Appearance, show Members) bool {
	conn, change := s.connection(), a.Change()
	who := presence.Who{Connection: conn.ID(), User: p.User, Apart: show != nil}
	change.Server = p.Info
	if pass := s.place(channel).pass; pass != nil && pass.Member != nil {
		who.User, change.Server = pass.Member.ID, pass.Member.Info
	}
	var deliver func(*presence.Snapshot)
	switch {
	case s.interests(u, channel) == 0:
	case show != nil:
		deliver = withSelf(s.shows(channel, show))
	default:
		deliver = s.show(channel)
	}
	stay, err := s.registry.Presence.tracker.Enter(channel, who, change, deliver)
	if err != nil {
		u.log.Error("presence failed", "error", err, "connection", conn.ID())
		return true
	}
	entered := &attendance{Stay: stay, channel: channel}
	if p.User == "" && !a.IsZero() {
		entered.said = &protocol.Appearance{Status: a.Status, Info: a.Info}
	}
	kept, current := s.keep(entered, p)
	switch {
	case !current:
		stay.Leave()
	case !kept:
		stay.Lose()
	case !slices.Contains(conn.Channels(), channel):
		s.leavePresence(channel) // the session has left the room meanwhile
	}
	return current
}

// keep records a stay of a principal's member. kept is false if the connection is over or
// has a stay already. current is false if the session has another principal, whose member
// is another one or says something else.
func (s *Session) keep(a *attendance, p *Principal) (kept, current bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.who(); now.User != p.User || !bytes.Equal(now.Info, p.Info) {
		return false, false
	}
	if s.over || s.stays.in(a.channel) != nil {
		return false, true
	}
	s.stays = append(s.stays, a)
	return true, true
}

// present reports whether the session has a stay in a room.
func (s *Session) present(channel string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stays.in(channel) != nil
}

// leavePresence ends a stay because the client left the room.
func (s *Session) leavePresence(channel string) {
	s.mu.Lock()
	stay := s.stays.remove(channel)
	s.mu.Unlock()
	if stay != nil {
		stay.Leave()
	}
}

// endPresence ends all stays when the connection is over. The member leaves at once if the
// end is final. Otherwise it stays for the room's grace period, because the client may come
// back.
func (s *Session) endPresence(final bool) {
	s.mu.Lock()
	stays := s.stays
	s.stays, s.over = nil, true
	s.report(Connections.Disconnect)
	s.stopTimer()
	s.mu.Unlock()
	for _, stay := range stays {
		if final {
			stay.Leave()
		} else {
			stay.Lose()
		}
	}
}

// isFinal reports whether the client is not expected to come back. A browser that leaves the
// page sends 1001, also when it reloads the page: that is not final.
func isFinal(r hub.Reason) bool {
	return !protocol.MayReconnect(r.Code)
}

// applyToPresence applies new rules about presence to a live subscription.
func (s *Session) applyToPresence(u *rules, conn *hub.Conn, channel string) {
	s.registry.hub.Interest(conn, channel, s.interests(u, channel))
	room := u.policy.Match(channel)
	switch wanted, there := room != nil && room.Members != nil, s.present(channel); {
	case wanted && !there:
		s.enterPresence(u, channel, protocol.Appearance{}, nil)
	case there && !wanted:
		s.leavePresence(channel)
		// The room has no members any more, so the client would get no changes of its list.
		conn.Send(protocol.PresenceEvent{Frame: &presence.Snapshot{Channel: channel}})
	}
}

// reappear makes the session another member of its rooms, except where a pass names the member.
// For the others, one member leaves and another one enters.
func (s *Session) reappear(u *rules) {
	s.mu.Lock()
	all := s.ownStays()
	for _, a := range all {
		s.stays.remove(a.channel)
	}
	s.mu.Unlock()
	for _, a := range all {
		a.Leave()
		s.enterPresence(u, a.channel, a.appearance(), nil)
	}
}

// ownStays lists the stays whose member follows from the principal. Needs mu.
func (s *Session) ownStays() (own []*attendance) {
	for _, a := range s.stays {
		if pass := s.places[a.channel].pass; pass == nil || pass.Member == nil {
			own = append(own, a)
		}
	}
	return own
}

// describe changes what the server says about the session's member.
func (s *Session) describe(info json.RawMessage) {
	if info == nil {
		info = json.RawMessage(`{}`) // removes the earlier info
	}
	s.mu.Lock()
	all := s.ownStays()
	s.mu.Unlock()
	for _, a := range all {
		if err := a.Update(presence.Change{Server: info}); err != nil {
			s.registry.rules.Load().log.Error("presence failed", "error", err, "connection", s.conn.ID())
		}
	}
}

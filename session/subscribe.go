package session

import (
	"context"
	"errors"
	"slices"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// SubscribeOptions are what a dialect or a transport adds to a subscription.
type SubscribeOptions struct {
	// Reply makes the events that are queued before any live message of the room. It is
	// called once, without locks, and not if the subscription fails before. May be nil.
	Reply func(Subscribed) []hub.Event
	// Pass is what the dialect has verified for this subscription; nil for nothing.
	Pass *Pass
	// Members makes the events that show the client the members of a room with presence. It is
	// called once after Reply, perhaps on another goroutine, and must not block. The client gets
	// no other list of them, and no change of a member that the list has already, such as its
	// own. Nil: the client is sent a `presence` event, and compares the numbers itself.
	Members Members
	// Recover names those among whom the ids of users and members mean the same, such as the clients
	// of one app. If the connection is lost, the next one of the same user, or of the same member of
	// Pass, goes on where it was: Reply gets the messages that it missed. Empty: the client says
	// itself where it was.
	Recover string
	// Waits is called before the session waits for the client to read its queue. May be
	// nil.
	Waits func()
}

// Members makes the events that show a client the members of a room.
type Members func(*presence.Snapshot) []hub.Event

// Subscribed is the outcome of a subscription.
type Subscribed struct {
	hub.Subscribed
	// Document is the room's document; nil if it has none.
	Document *protocol.DocumentState
	// Replaced reports that the client was subscribed before and has another filter now. There
	// is no position then: delivery goes on where it was.
	Replaced bool
}

// Subscribe puts the client into a room. Only the transport's reader calls it, or the
// goroutine that opened the session before there is a reader. Errors are those of
// [Registry.May], ALREADY_SUBSCRIBED unless there is a filter to replace, LIMIT_EXCEEDED, INVALID_MESSAGE, UNAVAILABLE and
// INTERNAL.
func (s *Session) Subscribe(ctx context.Context, q protocol.Subscribe, o SubscribeOptions) (e *protocol.Error) {
	e = protocol.AsError(errPanic) // the result when subscribe does not return
	defer s.recovered()
	if e = s.subscribe(ctx, q, o); e != nil {
		s.logRejected(q.Channel, e)
	} else if s.followed() {
		s.tell("subscribed", "channel", q.Channel)
	}
	return e
}

var errPanic = errors.New("session: a command panicked")

func (s *Session) subscribe(ctx context.Context, q protocol.Subscribe, o SubscribeOptions) *protocol.Error {
	u := s.registry.rules.Load()
	if s.replaces(&q) {
		return s.replaceFilter(u, q, o)
	}
	if protocol.IsPattern(q.Channel) {
		return s.subscribePattern(ctx, u, q, o)
	}
	if e := s.takePass(u, q.Channel, o.Pass); e != nil {
		return e
	}
	doc, e := s.prepare(ctx, u, q)
	if e != nil {
		s.dropPass(q.Channel, o.Pass)
		return e
	}
	err := s.attach(ctx, u, q, o, doc)
	if err != nil && !errors.Is(err, hub.ErrSubscribed) { // else another goroutine was faster, and follows
		s.unfollow(q.Channel)
		s.setFilter(q.Channel, nil)
		s.dropPass(q.Channel, o.Pass)
	}
	switch now := s.registry.rules.Load(); {
	case errors.Is(err, hub.ErrSubscribed):
		return alreadySubscribed()
	case errors.Is(err, hub.ErrLeft):
		return s.leftEarly(now, q.Channel)
	case doc.failed():
		return s.registry.rules.documentFailed(doc.err)
	case err != nil:
		return s.registry.rules.failed("subscribe", err)
	default:
		s.enterPresence(now, q.Channel, q.Appearance, o.Members)
		s.applyNewer(u, func(newer *rules) { s.applyToRoom(newer, s.conn, q.Channel) })
	}
	return nil
}

// prepare checks whether the client may subscribe, and follows the document of the room.
func (s *Session) prepare(ctx context.Context, u *rules, q protocol.Subscribe) (*following, *protocol.Error) {
	if e := s.checkSubscribe(ctx, u, q); e != nil {
		return nil, e
	}
	return s.follow(ctx, u, q.Channel)
}

// checkSubscribe returns an error if the client may not subscribe. The app is asked last.
func (s *Session) checkSubscribe(ctx context.Context, u *rules, q protocol.Subscribe) *protocol.Error {
	if e := s.maySubscribe(u, q.Channel); e != nil {
		return e
	}
	if q.History > 0 {
		if e := u.may(s.callerIn(q.Channel), policy.History, q.Channel); e != nil {
			return e
		}
	}
	if e := s.hasRoom(u.limits.Channels, q.Channel); e != nil {
		return e
	}
	if err := q.Change().Check(); err != nil {
		return protocol.Errorf(protocol.InvalidMessage, "%s", err)
	}
	if _, e := compileFilter(q.Filter); e != nil {
		return e
	}
	if s.isEnrolled(q.Channel) {
		return nil
	}
	return u.askApp(ctx, s.caller(), auth.Subscribe, q.Channel)
}

// maySubscribe returns an error if the session may not be in a room, or have a pattern.
func (s *Session) maySubscribe(u *rules, channel string) *protocol.Error {
	if protocol.IsPattern(channel) {
		_, e := s.maySpan(u, channel)
		return e
	}
	p := s.who()
	if e := u.mustAuthenticate(p); e != nil {
		return e
	}
	if s.isEnrolled(channel) {
		return u.opens(channel)
	}
	return u.may(Caller{Principal: p, pass: s.place(channel).pass}, policy.Subscribe, channel)
}

// attach subscribes at the hub. If the document can not be read, the connection leaves the
// room again. The client gets no `unsubscribed`, because it got no `subscribed` either.
func (s *Session) attach(ctx context.Context, u *rules, q protocol.Subscribe, o SubscribeOptions, doc *following) error {
	own, e := compileFilter(q.Filter)
	if e != nil {
		return e
	}
	s.setFilter(q.Channel, own)
	to := hub.SubscribeOptions{
		Recover:   q.Recover,
		History:   q.History,
		Waits:     o.Waits,
		Interests: s.interests(u, q.Channel),
		Unshown:   o.Members != nil,
		Selector:  s.selector(u, q.Channel),
		Reply: func(sub hub.Subscribed) []hub.Event {
			state := doc.read(ctx)
			if doc.failed() || o.Reply == nil {
				return nil
			}
			return o.Reply(Subscribed{Subscribed: sub, Document: state})
		},
	}
	if o.Recover != "" {
		s.recover(&q, &to, o.Recover)
	}
	if pass := s.place(q.Channel).pass; pass != nil && pass.Member != nil {
		to.Member = pass.Member.ID
	}
	_, err := s.registry.hub.Subscribe(ctx, s.conn, q.Channel, to)
	if err == nil && doc.failed() {
		s.registry.hub.Unsubscribe(s.conn, q.Channel)
		s.leavePresence(q.Channel) // new rules may have made the session a member meanwhile
		err = doc.err
	}
	return err
}

// hasRoom returns an error if the session is in the room already, or in too many rooms.
func (s *Session) hasRoom(limit int, channel string) *protocol.Error {
	channels := s.conn.Channels()
	switch {
	case slices.Contains(channels, channel):
		return alreadySubscribed()
	case over(len(channels), limit):
		return tooManyChannels(limit)
	}
	return nil
}

func tooManyChannels(limit int) *protocol.Error {
	return protocol.Errorf(protocol.LimitExceeded, "no more than %d channels for one connection", limit)
}

func alreadySubscribed() *protocol.Error {
	return protocol.Errorf(protocol.AlreadySubscribed, "already subscribed to this channel")
}

// leftEarly returns why a subscription ended while it was being made: new rules do not allow
// it, or the connection is closing.
func (s *Session) leftEarly(u *rules, channel string) *protocol.Error {
	if e := s.maySubscribe(u, channel); e != nil {
		return e
	}
	return protocol.AsError(hub.ErrClosed)
}

// Unsubscribe takes the client out of a room. reply is queued after the room's last message
// to the client. The error is NOT_SUBSCRIBED; then reply is not sent.
func (s *Session) Unsubscribe(channel string, reply hub.Event) *protocol.Error {
	if e := s.MustAuthenticate(); e != nil {
		return e
	}
	if !s.leaveRoom(s.conn, channel, reply) {
		return notSubscribed()
	}
	return nil
}

// leaveRoom takes the session out of a room, and reports whether it was in it.
func (s *Session) leaveRoom(conn *hub.Conn, channel string, reply hub.Event) bool {
	was := s.registry.hub.Unsubscribe(conn, channel, reply)
	s.leavePresence(channel)
	s.unfollow(channel)
	s.changePlace(channel, func(p *place) { *p = place{} })
	return was
}

func notSubscribed() *protocol.Error {
	return protocol.Errorf(protocol.NotSubscribed, "not subscribed to this channel")
}

package session

import (
	"context"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Enrollment subscribes connections to channels by order of the app, and unsubscribes them, on
// all nodes. Whoever may subscribe by the rules does not matter.
type Enrollment struct {
	// Static.
	rules    *current
	sessions *sessions
	cluster  *cluster
	lost     *lostConns
}

// Target is a user, or one connection.
type Target struct {
	User       string `json:"user,omitempty"`
	Connection string `json:"connection,omitempty"`
}

// enrollment is an [Enrollment] on its way to other nodes.
type enrollment struct {
	Target
	Channel string `json:"channel"`
	// Leave says that the connections are unsubscribed.
	Leave bool `json:"leave,omitempty"`
}

const (
	// enrollTime is how long an order waits for its subscriptions. Those that take longer,
	// because a client does not read, go on and do not count.
	enrollTime = 500 * time.Millisecond
	// enrollEach is how long one of them may take.
	enrollEach = 5 * time.Second
)

// Subscribe subscribes the connections of the target. The errors are INVALID_CHANNEL if no
// room opens the channel, and UNAVAILABLE if only this node carried it out.
func (n *Enrollment) Subscribe(ctx context.Context, to Target, channel string) (Ended, *protocol.Error) {
	if e := n.rules.Load().opens(channel); e != nil {
		return Ended{}, e
	}
	return n.order(ctx, enrollment{Target: to, Channel: channel})
}

// Unsubscribe unsubscribes them. The error is UNAVAILABLE.
func (n *Enrollment) Unsubscribe(ctx context.Context, to Target, channel string) (Ended, *protocol.Error) {
	return n.order(ctx, enrollment{Target: to, Channel: channel, Leave: true})
}

func (n *Enrollment) order(ctx context.Context, o enrollment) (Ended, *protocol.Error) {
	here := n.carryOut(o)
	if o.Connection != "" && here > 0 {
		return Ended{Connections: here, Nodes: 1}, nil // no other node has it
	}
	return n.cluster.order(ctx, here, order{Enroll: &o}, "", 0)
}

// carryOut carries an order out on this node, and returns for how many connections.
func (n *Enrollment) carryOut(o enrollment) int {
	if o.Leave {
		defer n.lost.void(o.Target, o.Channel) // nobody comes back to the channel either, also who is lost just now
	}
	return n.Here(n.targets(o.Target), o.Channel, o.Leave)
}

// Here subscribes sessions of this node, or unsubscribes them, and returns how many. It waits a moment
// for the subscriptions.
func (n *Enrollment) Here(found []*Session, channel string, leave bool) (done int) {
	if leave {
		for _, s := range found {
			if s.expel(channel) {
				done++
			}
		}
		return done
	}
	if len(found) == 0 || n.rules.Load().opens(channel) != nil {
		return 0
	}
	results := make(chan bool, len(found))
	go enrollAll(n.rules.Load(), found, channel, results)
	timer := time.NewTimer(enrollTime)
	defer timer.Stop()
	for range found {
		select {
		case ok := <-results:
			if ok {
				done++
			}
		case <-timer.C:
			return done
		}
	}
	return done
}

// enrollAll subscribes sessions one after the other.
func enrollAll(u *rules, all []*Session, channel string, results chan<- bool) {
	defer guard.Recover(u.log, "subscriptions by order of the app")
	for _, s := range all {
		results <- s.enroll(channel)
	}
}

func (n *Enrollment) targets(to Target) []*Session {
	if to.Connection == "" {
		return n.sessions.of(to.User)
	}
	if s := n.sessions.named(to.Connection); s != nil {
		return []*Session{s}
	}
	return nil
}

// opens returns an error if no room opens a channel.
func (u *rules) opens(channel string) *protocol.Error {
	if e := protocol.ValidChannel(channel); e != nil {
		return e
	}
	if u.policy.Match(channel) == nil {
		return protocol.NoRoom(channel)
	}
	return nil
}

// Opens reports whether a room opens a channel, for whomever.
func (r *Registry) Opens(channel string) bool { return r.rules.Load().opens(channel) == nil }

// enroll subscribes the session, whatever the rules say of its client. It reports whether it
// is subscribed now. Any goroutine may call it.
func (s *Session) enroll(channel string) bool {
	if s.connection() == nil {
		return false // it is being opened
	}
	ctx, cancel := context.WithTimeout(s.ctx, enrollEach)
	defer cancel()
	was := s.setEnrolled(channel, true)
	e := s.Subscribe(ctx, protocol.Subscribe{Channel: channel}, SubscribeOptions{
		Reply: func(sub Subscribed) []hub.Event {
			return []hub.Event{protocol.SubscribedReply{Channel: channel, Position: sub.Position, Document: sub.Document}}
		},
	})
	if e != nil && e.Code == protocol.AlreadySubscribed {
		return true
	}
	if e != nil && !was {
		s.setEnrolled(channel, false)
	}
	return e == nil
}

// expel unsubscribes the session by order of the app, and reports whether it was subscribed.
func (s *Session) expel(channel string) bool {
	conn := s.connection()
	if conn == nil || !conn.In(channel) {
		return false
	}
	cause := protocol.Errorf(protocol.Forbidden, "the app has unsubscribed you from this channel")
	if !s.leaveRoom(conn, channel, protocol.UnsubscribedReply{Channel: channel, Cause: cause}) {
		return false
	}
	s.loseChannel(conn, channel)
	return true
}

// setEnrolled notes whether the app has subscribed the session to a channel. It returns what
// was noted before.
func (s *Session) setEnrolled(channel string, is bool) (was bool) {
	return s.changePlace(channel, func(p *place) { p.enrolled = is }).enrolled
}

func (s *Session) isEnrolled(channel string) bool { return s.place(channel).enrolled }

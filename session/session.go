package session

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/window"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Options describe a new session.
type Options struct {
	Transport hub.Transport
	// Encoder makes the bytes for the transport: the events of a dialect in the
	// transport's frames.
	Encoder hub.Encoder
	// Dialect handles the client's frames; nil on transports without any.
	Dialect Dialect
	// Answers says that the client answers pings.
	Answers bool
	// Name is the transport's word for logs: "websocket", "sse".
	Name string
	// Fixed says that the client names its channels when it connects, and can not
	// subscribe later. Its connection is closed when the rules leave it no channel, and
	// when they give one back: the client then reconnects and names them all. The client
	// gets a secret for requests over HTTP, see [Streams].
	Fixed bool
	// OnClose is called once, when the connection has left its rooms; may be nil.
	OnClose func(hub.Reason)
}

// Session is the conversation with one client over one connection.
type Session struct {
	// Static after creation.
	registry *Registry
	name     string
	dialect  Dialect
	onClose  func(hub.Reason) // see Options; may be nil
	started  time.Time
	ctx      context.Context // ends with the connection
	cancel   context.CancelFunc

	// Written once by Open, under mu because the hub may end the connection and
	// Apply may visit the session before Open has returned.
	conn *hub.Conn

	principal atomic.Pointer[Principal] // written by Open, then with sessions.mu held

	received, receivedBytes atomic.Uint64 // messages of the client

	// Owned by the transport's reader.
	succession succession
	frames     bucket

	calls atomic.Int32 // calls to the app without an answer

	fixed bool   // see Options; static
	proof string // of a fixed one, see [Streams]; static

	inherits *lostConn // whose place the session takes; nil: nobody's. Guarded by lostConns.mu

	rooms buckets[string] // publish rates, by channel; it has its own lock

	// Guarded by mu.
	mu       sync.Mutex
	offences window.Counter
	stays    stays               // in rooms with presence
	follows  map[string]struct{} // the channels whose documents are followed
	places   map[string]place    // by channel
	lost     []string            // channels that a fixed session named and may not have
	timer    *time.Timer         // see watch; nil if the principal needs none
	tickets  []*Ticket           // by which the client may resume the connection
	recorded bool                // the connection has ended, and its tickets have become records
	over     bool                // the connection has ended
	abusive  bool                // by CloseForAbuse
}

// maxRoomBuckets bounds the channels whose publish rate a session counts. Beyond it, the
// counts of some channels are dropped.
const maxRoomBuckets = 256

// Open registers a session, counts it, and sends `connected`. A nil principal is an
// anonymous client. The errors are UNAUTHORIZED for a revoked token, LIMIT_EXCEEDED, and
// UNAVAILABLE if the node is shutting down or does not know yet which tokens were revoked.
func (r *Registry) Open(p *Principal, o Options) (*Session, *protocol.Error) {
	s := &Session{registry: r, name: o.Name, dialect: o.Dialect, onClose: o.OnClose, fixed: o.Fixed, started: time.Now()}
	p = p.dated(s.started)
	if e := r.Revocations.Check(p.Identity()); e != nil {
		return nil, e
	}
	s.principal.Store(p)
	s.rooms.limit = maxRoomBuckets
	s.ctx, s.cancel = context.WithCancel(p.Trace.Context(context.Background()))
	if e := r.sessions.enter(s); e != nil {
		s.cancel()
		return nil, e
	}
	if err := s.connect(o); err != nil {
		s.cancel()
		r.sessions.leave(s)
		return nil, retry(protocol.Unavailable, "this server takes no new connections", time.Second, 10*time.Second)
	}
	if s.fixed {
		r.sessions.addStream(s)
	}
	s.conn.Send(s.greeting())
	u := r.rules.Load()
	s.closeIfAppNotAsked(u, s.conn)
	s.watch(u)
	s.closeIfKickedOrRevoked()
	if s.followed() {
		s.tell("connected")
	}
	s.opened()
	return s, nil
}

// connect opens the connection of the hub.
func (s *Session) connect(o Options) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, err = s.registry.hub.Connect(hub.ConnOptions{
		ID:        s.newID(o.Dialect),
		Transport: o.Transport,
		Encoder:   o.Encoder,
		Kind:      hub.Kind{Transport: o.Name, Dialect: dialectName(o.Dialect)},
		Answers:   o.Answers,
		User:      func() string { return s.who().User },
		OnClose:   s.ended,
	})
	if err == nil {
		s.registry.trim.Opened()
		s.report(Connections.Connect)
	}
	return err
}

func (s *Session) greeting() hub.Event {
	greeting := protocol.Connected{
		Connection: s.conn.ID(),
		User:       s.who().User,
		Heartbeat:  s.registry.hub.Settings().Heartbeat,
	}
	if s.fixed {
		greeting.Secret = s.registry.Streams.secret(s.proof)
	}
	return greeting
}

// ended is called once, by the hub, when the connection is over.
func (s *Session) ended(reason hub.Reason) {
	s.cancel()
	s.registry.rules.counts.close(reason.Code)
	s.registry.sessions.leave(s)
	resumable := s.registry.lost.add(s, reason)
	s.endPresence(isFinal(reason) && !resumable)
	s.registry.Watchlists.drop(s)
	s.unfollowAll()
	s.logEnded(reason.Code, reason.Text)
	if s.onClose != nil {
		s.onClose(reason)
	}
}

// connection returns conn. Goroutines that may run before Open has returned use it.
func (s *Session) connection() *hub.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// Conn is the session's connection.
func (s *Session) Conn() *hub.Conn { return s.conn }

// User returns the id of the client's user; empty for an anonymous client.
func (s *Session) User() string { return s.who().User }

// who returns the current principal.
func (s *Session) who() *Principal { return s.principal.Load() }

func (s *Session) caller() Caller {
	return Caller{Principal: s.who(), Connection: s.conn.ID()}
}

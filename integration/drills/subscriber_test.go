package drills

import (
	"cmp"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// connection is what a subscriber reads from, over either transport.
type connection interface {
	next() (envelope, error)
	close()
}

// subscriber is a client that follows channels and has a checker look at what it
// sees. It outlives its connections: a new one goes on where the last one ended.
type subscriber struct {
	// Static.
	base     string // URL of the realtime path
	channels []string
	record   *checker.Subscriber
	stream   *http.Client // by event stream; nil: by WebSocket
	dialer   *websocket.Dialer
	others   []string // where to connect in turns instead of base, because a node may be gone

	conn   atomic.Pointer[connection] // the latest one
	inside atomic.Bool                // it is subscribed to all channels
	seen   atomic.Int64               // messages, without replays
	latest atomic.Value               // id of the latest message

	// Owned by the goroutine that connects and follows.
	places  map[string]*place
	lastID  string
	waiting int // channels that are not subscribed to yet
	tries   int
}

// place is where a client goes on in one channel.
type place struct {
	Epoch  string `json:"epoch"`
	Offset uint64 `json:"offset"`
	Anchor string `json:"anchor,omitempty"`
}

// connect opens a connection that recovers what was missed, if there was one before.
func (s *subscriber) connect() (connection, error) {
	c, err := s.open()
	if err != nil {
		return nil, err
	}
	s.waiting = len(s.channels)
	s.conn.Store(&c)
	return c, nil
}

func (s *subscriber) open() (connection, error) {
	if n := len(s.others); n > 0 {
		s.base = s.others[s.tries%n]
		s.tries++
	}
	if s.stream != nil {
		c, err := openSSE(s.stream, streamURL(s.base, s.channels...), s.lastID)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	c, err := openWS(cmp.Or(s.dialer, dialer()), s.base, nil)
	if err != nil {
		return nil, err
	}
	for _, channel := range s.channels {
		if err := c.send("subscribe", "", s.subscription(channel)); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (s *subscriber) subscription(channel string) map[string]any {
	q := map[string]any{"channel": channel}
	if p := s.places[channel]; p != nil {
		q["recover"] = p
	}
	return q
}

// follow reads until the connection ends and says how. What is no business of a
// subscriber ends it with a refusal.
func (s *subscriber) follow(c connection) error {
	defer s.record.Disconnected()
	defer s.inside.Store(false)
	defer c.close()
	for {
		ev, err := c.next()
		if err != nil {
			return err
		}
		if err := s.take(ev); err != nil {
			return err
		}
		if c, ok := c.(*sseClient); ok {
			s.lastID = c.lastID
		}
	}
}

// ended is the code with which an event stream was ended.
type ended int

func (e ended) Error() string { return "the stream was closed with " + strconv.Itoa(int(e)) }

// take records one envelope.
func (s *subscriber) take(ev envelope) error {
	switch p := &ev.Payload; ev.Type {
	case "connected":
	case "subscribed":
		s.move(ev)
		s.record.Subscribed(p.Channel, ev.at(), p.Recovered, replay(ev)...)
		if s.waiting--; s.waiting == 0 {
			s.inside.Store(true)
		}
	case "message":
		at := s.advance(p)
		s.record.Message(p.Channel, at, p.id())
		s.latest.Store(p.id())
		s.seen.Add(1)
	case "gap":
		s.move(ev)
		s.record.Gap(p.Channel, ev.at())
	case "unsubscribed":
		s.record.Unsubscribed(p.Channel)
	case "reconnect", "presence":
	case "close":
		code, _ := p.Code.(float64)
		return ended(code)
	default:
		return refusal{"unexpected " + ev.String()}
	}
	return nil
}

// move goes to the position that an event names.
func (s *subscriber) move(ev envelope) {
	p := &ev.Payload
	if p.Epoch == "" {
		delete(s.places, p.Channel)
		return
	}
	if s.places == nil {
		s.places = make(map[string]*place)
	}
	s.places[p.Channel] = &place{p.Epoch, p.Offset, p.Anchor}
}

// advance goes to the position of a message, which stands in the same epoch as the
// one before.
func (s *subscriber) advance(p *payload) checker.Position {
	at := s.places[p.Channel]
	if at == nil || p.Offset == 0 {
		return checker.Position{}
	}
	at.Offset, at.Anchor = p.Offset, p.Anchor
	return checker.Position{Epoch: at.Epoch, Offset: at.Offset}
}

// replay is what came with a subscription.
func replay(ev envelope) (list []checker.Message) {
	for _, m := range ev.Payload.Messages {
		at := checker.Position{Epoch: ev.Payload.Epoch, Offset: m.Offset}
		list = append(list, checker.Message{Position: at, ID: m.id()})
	}
	return list
}

// drop cuts the latest connection.
func (s *subscriber) drop() {
	if c := s.conn.Load(); c != nil {
		(*c).close()
	}
}

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/caddy-realtime/caddy-realtime/ws/dial"
)

const (
	// abreast is how many clients connect at the same time.
	abreast = 32
	// answerLimit bounds a handshake, and the wait for the last deliveries.
	answerLimit = 10 * time.Second
)

// crowd is the clients of a test.
type crowd struct {
	id      string
	begin   time.Time // what the times in messages count from
	clients []*client
	readers errgroup.Group
	ending  atomic.Bool // the test closes the connections
}

// client is one of them. Until the crowd is closed only its reader uses latency, closed and
// rejected.
type client struct {
	conn     *dial.Conn
	latency  histogram
	closed   bool           // the server ended the connection
	rejected map[string]int // errors to what the client published

	mu   sync.Mutex // guards seen
	seen int
}

// connect opens the clients and subscribes them.
func (b *bench) connect(ctx context.Context, out *printer, r *result) *crowd {
	c := &crowd{id: runID(), begin: time.Now()}
	bar := newBar(out.notes, "clients connected")
	defer bar.end()
	var mu sync.Mutex // guards c.clients and r
	var all errgroup.Group
	all.SetLimit(abreast)
	for range b.connections {
		all.Go(func() error {
			began := time.Now()
			conn, err := b.open(ctx)
			took := time.Since(began)
			mu.Lock()
			if err != nil {
				r.Failed[err.Error()]++
			} else {
				r.connects.add(took)
				c.clients = append(c.clients, &client{conn: conn})
			}
			done := len(c.clients)
			mu.Unlock()
			bar.set(done, b.connections)
			return nil
		})
	}
	_ = all.Wait() // none returns an error
	r.Connected = len(c.clients)
	for _, m := range c.clients {
		c.readers.Go(func() error { m.read(c); return nil })
	}
	return c
}

// open connects one client and subscribes it.
func (b *bench) open(ctx context.Context) (*dial.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	header := http.Header{}
	if b.origin != "" {
		header.Set("Origin", b.origin)
	}
	if b.token != "" {
		header.Set("Authorization", "Bearer "+b.token)
	}
	conn, err := dial.Open(ctx, b.site.base, header)
	if err != nil {
		return nil, clear(err)
	}
	stop := context.AfterFunc(ctx, conn.Close)
	defer stop()
	err = conn.Send(command("subscribe", map[string]any{"channel": b.channel}))
	for err == nil {
		var e envelope
		if e, err = next(conn); err != nil {
			break
		}
		switch e.Type {
		case "subscribed":
			return conn, nil
		case "error":
			err = e.problem()
		}
	}
	conn.Close()
	return nil, clear(err)
}

// clear makes an error that is the same for all clients whom the same happened to.
func clear(err error) error {
	var r *dial.Rejected
	var u *url.Error
	switch {
	case errors.As(err, &r):
		var p rejected
		if json.Unmarshal([]byte(r.Body), &p) == nil && p.Detail != "" {
			return fmt.Errorf("%d %s: %s", r.Status, p.Code, p.Detail)
		}
		return err
	case errors.As(err, &u):
		return u.Err
	default:
		return err
	}
}

// problem is an error event as an error.
func (e envelope) problem() error {
	var v struct{ Code, Message string }
	if err := json.Unmarshal(e.Payload, &v); err != nil {
		return err
	}
	return fmt.Errorf("%s: %s", v.Code, v.Message)
}

func next(conn *dial.Conn) (e envelope, err error) {
	text, err := conn.Next()
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	return e, err
}

// command is a frame of the native protocol.
func command(kind string, payload any) []byte {
	text, err := json.Marshal(map[string]any{"type": kind, "id": 1, "payload": payload})
	if err != nil {
		panic(err) // the payloads are maps of plain values
	}
	return text
}

// probe is the content of a message of a test.
type probe struct {
	Bench string        `json:"bench"`
	Sent  time.Duration `json:"sent"` // when it should have been published, since the test began
	Fill  string        `json:"fill,omitempty"`
}

// read counts what arrives until the connection ends.
func (m *client) read(c *crowd) {
	for {
		e, err := next(m.conn)
		if err != nil {
			m.closed = !c.ending.Load()
			return
		}
		if e.Type == "error" {
			if m.rejected == nil {
				m.rejected = map[string]int{}
			}
			m.rejected[e.problem().Error()]++
			continue
		}
		var v struct{ Content probe }
		if e.Type != "message" || json.Unmarshal(e.Payload, &v) != nil || v.Content.Bench != c.id {
			continue
		}
		m.latency.add(time.Since(c.begin) - v.Content.Sent)
		m.mu.Lock()
		m.seen++
		m.mu.Unlock()
	}
}

// delivered counts what has arrived so far.
func (c *crowd) delivered() (n int) {
	for _, m := range c.clients {
		m.mu.Lock()
		n += m.seen
		m.mu.Unlock()
	}
	return n
}

// close ends the connections and waits for the readers. A second call does nothing.
func (c *crowd) close() {
	c.ending.Store(true)
	for _, m := range c.clients {
		m.conn.Close()
	}
	_ = c.readers.Wait() // none returns an error
}

// collect adds up what the clients saw. The crowd is closed.
func (c *crowd) collect(r *result) {
	for _, m := range c.clients {
		r.latency.merge(&m.latency)
		r.Delivered += m.seen
		if m.closed {
			r.Closed++
		}
		for what, n := range m.rejected {
			r.Rejected[what] += n
			r.Published -= n
		}
	}
}

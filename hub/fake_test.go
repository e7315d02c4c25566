package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// line is an Encoder of one line per event, which tests can read.
type line struct{}

func (*line) AppendEvent(dst []byte, ev Event) []byte {
	switch ev := ev.(type) {
	case *Message:
		return fmt.Appendf(dst, "%s@%d %s\n", ev.Channel, ev.Position.Offset, ev.Content)
	case Gap:
		return fmt.Appendf(dst, "gap %s@%d\n", ev.Channel, ev.Position.Offset)
	case Reconnect:
		return append(dst, "reconnect\n"...)
	case news:
		return append(dst, "news\n"...)
	case change:
		return fmt.Appendf(dst, "change %d\n", ev)
	case own:
		return append(dst, "own\n"...)
	case string:
		return append(append(dst, ev...), '\n')
	}
	return dst
}
func (*line) AppendPing(dst []byte) []byte { return append(dst, "ping\n"...) }
func (*line) AppendClose(dst []byte, r Reason) []byte {
	return fmt.Appendf(dst, "close %d\n", r.Code)
}

var lines Encoder = new(line)

// wire is a Transport that keeps what was written. While it is stuck, Write
// blocks as a full socket does. It does not survive two writes at once.
type wire struct {
	mu     sync.Mutex
	free   *sync.Cond
	stuck  bool
	closed bool
	inside bool // a Write has not returned
	out    bytes.Buffer
	writes int
}

func newWire() *wire {
	w := new(wire)
	w.free = sync.NewCond(&w.mu)
	return w
}

func (w *wire) Write(p []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alone()
	w.inside = true
	for w.stuck && !w.closed {
		w.free.Wait()
	}
	w.inside = false
	if w.closed {
		return errors.New("closed")
	}
	w.writes++
	w.out.Write(p)
	return nil
}

func (w *wire) alone() {
	if w.inside {
		panic("two writes at once")
	}
}

func (w *wire) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.free.Broadcast()
}

func (w *wire) stick(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stuck = on
	w.free.Broadcast()
}

func (w *wire) isClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes
}

func (w *wire) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.String()
}

func (w *wire) lines() []string { return strings.Split(strings.TrimSuffix(w.text(), "\n"), "\n") }

// tryWire can also write without blocking; when stuck it takes only part bytes.
type tryWire struct {
	*wire
	part int
}

func (w *tryWire) TryWrite(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alone()
	if w.closed {
		return 0, errors.New("closed")
	}
	if w.stuck {
		p = p[:min(w.part, len(p))]
		w.part -= len(p)
	}
	w.out.Write(p)
	w.writes++
	return len(p), nil
}

// stampWire marks each message with a prefix of its own.
type stampWire struct{ *wire }

func (*stampWire) AppendStamp(dst []byte, channel string, p Position) []byte {
	return fmt.Appendf(dst, "[%s:%d]", channel, p.Offset)
}

// store is a Broker of the simplest kind: one lock, everything kept.
type store struct {
	sink Sink

	mu       sync.Mutex
	log      map[string][]*Message
	first    int   // offsets up to here are trimmed
	fail     error // of Attach and History
	attached map[string]int
	hold     chan struct{} // Attach waits for it when set
}

func (b *store) Publish(_ context.Context, m *Message, o PublishOptions) (Published, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o.Retention.Size > 0 && !m.Volatile {
		m.Position.Epoch, m.Position.Offset = "e", uint64(len(b.log[m.Channel])+1)
		b.log[m.Channel] = append(b.log[m.Channel], m)
	}
	b.sink.Broadcast(m.Channel, m)
	return Published{Position: m.Position}, nil
}

func (b *store) Attach(_ context.Context, channel string, _ Retention) error {
	b.mu.Lock()
	hold := b.hold
	b.mu.Unlock()
	if hold != nil {
		<-hold
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	b.attached[channel]++
	return nil
}

func (b *store) Detach(channel string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.attached[channel]--; b.attached[channel] == 0 {
		delete(b.attached, channel)
	}
}

func (b *store) History(_ context.Context, channel string, _ Retention, q HistoryQuery) (HistoryPage, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	log := b.log[channel]
	page := HistoryPage{Top: Position{Epoch: "e", Offset: uint64(len(log))}}
	from := max(len(log)-q.Limit, b.first)
	if q.Since != nil {
		from = int(q.Since.Offset)
		page.Lost = q.Since.Epoch != "e" || from < b.first || from > len(log)
	}
	if !page.Lost {
		page.Messages = log[from:min(from+q.Limit, len(log))]
	}
	return page, b.fail
}

func (b *store) Close() error { return nil }

func (b *store) attachments() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.attached)
}

// newTestHub returns a hub whose channels beginning with "h" keep history.
func newTestHub(t testing.TB, set Settings) (*Hub, *store) {
	b := &store{log: make(map[string][]*Message), attached: make(map[string]int)}
	h, err := New(func(s Sink) (Broker, error) { b.sink = s; return b, nil })
	if err != nil {
		t.Fatal(err)
	}
	if set.Room == nil {
		set.Room = func(channel string) RoomOptions {
			var o RoomOptions
			if channel[0] == 'h' {
				o.Retention.Size = 1000
			}
			return o
		}
	}
	h.Apply(set)
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h, b
}

func connect(t testing.TB, h *Hub, tr Transport) *Conn {
	t.Helper()
	c, err := h.Connect(ConnOptions{Transport: tr, Encoder: lines})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func subscribe(t testing.TB, h *Hub, c *Conn, channel string, o SubscribeOptions) Subscribed {
	t.Helper()
	s, err := h.Subscribe(context.Background(), c, channel, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func publish(t testing.TB, h *Hub, channel string, contents ...string) {
	t.Helper()
	for _, content := range contents {
		m := &Message{Channel: channel, Content: []byte(content)}
		if _, err := h.Publish(context.Background(), m, ""); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *wire) waitClosed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.closed {
		w.free.Wait()
	}
}

package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	// maxTailed is how many channels one stream follows at most.
	maxTailed = 100
	// tailWrite is how long one write may take.
	tailWrite = 10 * time.Second

	ndjsonType = "application/x-ndjson"
)

// tail is GET /tail: what subscribers of channels get, a line for each event.
func tail(c *call) *protocol.Error {
	channels, history, e := c.tailQuery()
	if e != nil {
		return e
	}
	h := c.o.Registry.Hub()
	t := newTailWriter(c.w)
	conn, err := h.Connect(hub.ConnOptions{
		Transport: t, Encoder: tailEncoder{}, Observer: true,
		User: func() string { return "" },
	})
	if err != nil {
		return protocol.Errorf(protocol.Unavailable, "this server takes no new connections")
	}
	c.w.Header().Set("Content-Type", ndjsonType)
	c.w.Header().Set("X-Accel-Buffering", "no")
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		conn.Close(hub.ReasonNormal)
		<-t.closed
		return nil
	}
	conn.Send(protocol.Connected{Connection: conn.ID(), Heartbeat: h.Settings().Heartbeat})
	for _, channel := range channels {
		c.follow(conn, channel, history)
	}
	var over <-chan struct{}
	if c.o.Over != nil {
		over = c.o.Over
	}
	select {
	case <-t.closed:
	case <-c.r.Context().Done():
		conn.Close(hub.ReasonLost)
	case <-over:
		conn.Close(hub.Reason{Code: hub.ReasonRestart.Code, Text: "the configuration has changed: connect again"})
	}
	<-t.closed // the writer is not used after the handler has returned
	return nil
}

// tailQuery checks the request.
func (c *call) tailQuery() (channels []string, history int, e *protocol.Error) {
	if e = c.appOnly(); e != nil {
		return nil, 0, e
	}
	query := c.r.URL.Query()
	channels = query["channel"]
	if n := len(channels); n == 0 || n > maxTailed {
		return nil, 0, protocol.Errorf(protocol.InvalidMessage, "name 1 to %d channels by the parameter channel", maxTailed)
	}
	for _, channel := range channels {
		if e = protocol.ValidChannel(channel); e != nil {
			return nil, 0, e
		}
		if !c.o.Registry.Opens(channel) {
			return nil, 0, protocol.NoRoom(channel)
		}
	}
	if s := query.Get("history"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n > maxChannels {
			return nil, 0, protocol.Errorf(protocol.InvalidMessage, "the parameter history is %s; it must be an integer from 0 to %d", protocol.Quote(s), maxChannels)
		}
		history = n
	}
	return channels, history, nil
}

// follow subscribes the stream to a channel. Retained messages come as messages of their own.
func (c *call) follow(conn *hub.Conn, channel string, history int) {
	_, err := c.o.Registry.Hub().Subscribe(c.r.Context(), conn, channel, hub.SubscribeOptions{
		History: history, Interests: protocol.InterestPresence,
		Reply: func(sub hub.Subscribed) []hub.Event {
			events := make([]hub.Event, 0, 1+len(sub.Messages))
			events = append(events, protocol.SubscribedReply{Channel: channel, Position: sub.Position})
			for _, m := range sub.Messages {
				events = append(events, m)
			}
			return events
		},
	})
	if err != nil && !errors.Is(err, hub.ErrSubscribed) {
		conn.Send(protocol.UnsubscribedReply{Channel: channel, Cause: protocol.AsError(err)})
	}
}

// tailEncoder encodes events as lines of JSON.
type tailEncoder struct{}

// AppendEvent implements hub.Encoder.
func (tailEncoder) AppendEvent(dst []byte, ev hub.Event) []byte {
	start := len(dst)
	if dst = protocol.AppendEnvelope(dst, ev); len(dst) == start {
		return dst // this protocol does not have the event
	}
	return append(dst, '\n')
}

// AppendPing implements hub.Encoder.
func (tailEncoder) AppendPing(dst []byte) []byte {
	dst = append(dst, `{"type":"ping","timestamp":`...)
	dst = strconv.AppendInt(dst, time.Now().UnixMilli(), 10)
	return append(dst, "}\n"...)
}

// AppendClose implements hub.Encoder.
func (tailEncoder) AppendClose(dst []byte, r hub.Reason) []byte {
	dst = append(dst, `{"type":"end","timestamp":`...)
	dst = strconv.AppendInt(dst, time.Now().UnixMilli(), 10)
	dst = append(dst, `,"payload":{"code":`...)
	dst = strconv.AppendUint(dst, uint64(r.Code), 10)
	dst = append(dst, `,"message":`...)
	text, err := json.Marshal(r.Text)
	if err != nil { // a string can always be encoded
		text = []byte(`""`)
	}
	dst = append(dst, text...)
	return append(dst, "}}\n"...)
}

// tailWriter is the transport of a tail: the answer to a request.
type tailWriter struct {
	control *http.ResponseController
	closed  chan struct{} // nothing is written any more

	mu   sync.Mutex
	w    http.ResponseWriter // nil when it is closed
	once sync.Once
}

func newTailWriter(w http.ResponseWriter) *tailWriter {
	return &tailWriter{control: http.NewResponseController(w), closed: make(chan struct{}), w: w}
}

var errTailClosed = errors.New("api: the stream is closed")

// Write implements hub.Transport. The hub calls it from one goroutine at a time.
func (t *tailWriter) Write(p []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.w == nil {
		return errTailClosed
	}
	_ = t.control.SetWriteDeadline(time.Now().Add(tailWrite)) // without it Close waits for the client
	if _, err := t.w.Write(p); err != nil {
		return err
	}
	return t.control.Flush()
}

// Close implements hub.Transport. A write that waits for the client ends at once.
func (t *tailWriter) Close() {
	t.once.Do(func() {
		_ = t.control.SetWriteDeadline(time.Now())
		t.mu.Lock()
		defer t.mu.Unlock()
		t.w = nil
		close(t.closed)
	})
}

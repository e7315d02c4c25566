package drills

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// post is a message on its way into one channel or several.
type post struct {
	channels []string
	id       string // also its idempotency key
	size     int    // of its content
}

// outcome is what became of a post in one channel.
type outcome struct {
	Epoch     string
	Offset    uint64
	Duplicate bool
}

// way is a way to publish. What it returns has as many outcomes as the post has
// channels. After an error nobody knows what became of the post.
type way interface {
	publish(post) ([]outcome, error)
	close()
}

// refusal is an error that another attempt does not change.
type refusal struct{ text string }

func (r refusal) Error() string { return r.text }

// publisher sends one message after the other and records what became of them. It
// tries again what was not acknowledged, which the key makes harmless.
type publisher struct {
	// Static.
	name   string
	way    way
	record *checker.Publisher
	pick   func(n int) []string // channels of the n-th message
	size   int                  // of a content
	pause  time.Duration        // between two messages

	acked   atomic.Int64
	retries atomic.Int64
}

// run publishes until stop is closed.
func (p *publisher) run(stop <-chan struct{}) error {
	defer p.way.close()
	tick := time.NewTicker(max(p.pause, 1))
	defer tick.Stop()
	for n := 0; ; n++ {
		if err := p.publish(n, stop); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		select {
		case <-stop:
			return nil
		case <-tick.C:
		}
	}
}

// publish sends the n-th message until it is acknowledged.
func (p *publisher) publish(n int, stop <-chan struct{}) error {
	m := post{channels: p.pick(n), id: p.name + "-" + strconv.Itoa(n), size: p.size}
	for {
		for _, channel := range m.channels {
			p.record.Sent(channel, m.id)
		}
		got, err := p.way.publish(m)
		if err == nil {
			p.note(m, got)
			return nil
		}
		if r, no := errors.AsType[refusal](err); no {
			return r
		}
		p.retries.Add(1)
		select {
		case <-stop:
			return nil // what is not acknowledged is nobody's promise
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *publisher) note(m post, got []outcome) {
	for i, o := range got {
		p.record.Acked(m.channels[i], m.id, checker.Position{Epoch: o.Epoch, Offset: o.Offset})
		p.acked.Add(1)
	}
}

// byWS publishes over a WebSocket, a new one after each failure.
type byWS struct {
	// Static.
	base     string
	twice    bool // send everything a second time, which must change nothing
	cutEvery int  // so many messages it drops the connection before the answer; 0: never

	conn *wsClient
	sent int
}

func (w *byWS) publish(m post) ([]outcome, error) {
	if err := w.connect(); err != nil {
		return nil, err
	}
	if w.sent++; w.cutEvery > 0 && w.sent%w.cutEvery == 0 {
		err := w.conn.send("message", "", w.command(m.channels[0], m))
		w.close()
		return nil, cmp.Or(err, errCut)
	}
	var list []outcome
	for _, channel := range m.channels {
		o, err := w.send(channel, m)
		if err != nil {
			return nil, err
		}
		if w.twice {
			if err := w.repeat(channel, m, o); err != nil {
				return nil, err
			}
		}
		list = append(list, o)
	}
	return list, nil
}

var errCut = errors.New("the answer was not waited for")

func (w *byWS) command(channel string, m post) map[string]any {
	return map[string]any{"channel": channel, "content": content(m.id, m.size), "key": m.id}
}

func (w *byWS) connect() (err error) {
	if w.conn == nil {
		w.conn, err = openWS(dialer(), w.base, nil)
	}
	return err
}

func (w *byWS) send(channel string, m post) (o outcome, err error) {
	ev, err := w.conn.call("message", w.command(channel, m))
	switch {
	case err != nil:
		w.close()
	case ev.Type != "ack":
		return o, refusal{ev.String()}
	}
	return outcome{ev.Payload.Epoch, ev.Payload.Offset, ev.Payload.Duplicate}, err
}

// repeat sends a message again, which must be recognized.
func (w *byWS) repeat(channel string, m post, first outcome) error {
	again, err := w.send(channel, m)
	if err != nil {
		return err
	}
	if !again.Duplicate || again.Epoch != first.Epoch || again.Offset != first.Offset {
		return refusal{fmt.Sprintf("%s was acknowledged as %+v, and then as %+v", m.id, first, again)}
	}
	return nil
}

func (w *byWS) close() {
	if w.conn != nil {
		w.conn.close()
		w.conn = nil
	}
}

// byHTTP publishes over the HTTP API: a request for each channel, or one for all
// as a batch of one item for each channel.
type byHTTP struct {
	base  string
	key   string // API key; empty for a caller without one
	batch bool

	client http.Client
}

func newHTTP(base, key string, batch bool) *byHTTP {
	return &byHTTP{base: base, key: key, batch: batch, client: http.Client{Transport: new(http.Transport), Timeout: patience}}
}

func (h *byHTTP) close() { h.client.CloseIdleConnections() }

func (h *byHTTP) publish(m post) (list []outcome, err error) {
	if h.batch {
		return h.publishBatch(m)
	}
	for _, channel := range m.channels {
		var o outcome
		body := map[string]any{"content": content(m.id, m.size), "id": m.id}
		if err := h.post("/channels/"+url.PathEscape(channel)+"/messages", body, &o); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

func (h *byHTTP) publishBatch(m post) (list []outcome, err error) {
	var items []map[string]any
	for _, channel := range m.channels {
		items = append(items, map[string]any{"channels": []string{channel}, "content": content(m.id, m.size), "id": m.id})
	}
	var results []struct {
		Channels []struct {
			outcome
			Error json.RawMessage
		}
	}
	if err := h.post("/publish", items, &results); err != nil {
		return nil, err
	}
	for _, r := range results {
		if len(r.Channels) != 1 || r.Channels[0].Error != nil {
			return nil, refusal{fmt.Sprintf("a batch was answered with %+v", results)}
		}
		list = append(list, r.Channels[0].outcome)
	}
	return list, nil
}

func (h *byHTTP) post(path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return h.do(http.MethodPost, path, bytes.NewReader(text), answer)
}

// connections asks how many connections a channel has; -1 after an error.
func (h *byHTTP) connections(channel string) int {
	var answer struct {
		Channels []struct {
			Channel     string
			Connections int
		}
	}
	if err := h.get("/channels?limit=1000&prefix="+url.QueryEscape(channel), &answer); err != nil {
		return -1
	}
	for _, c := range answer.Channels {
		if c.Channel == channel {
			return c.Connections
		}
	}
	return 0
}

func (h *byHTTP) get(path string, answer any) error { return h.do(http.MethodGet, path, nil, answer) }

// do asks the HTTP API. An answer other than 200 is a refusal.
func (h *byHTTP) do(method, path string, body io.Reader, answer any) error {
	r, err := http.NewRequest(method, h.base+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if h.key != "" {
		r.Header.Set("Authorization", "Bearer "+h.key)
	}
	res, err := h.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return refusal{fmt.Sprintf("%s: %s", res.Status, data)}
	}
	return json.Unmarshal(data, answer)
}

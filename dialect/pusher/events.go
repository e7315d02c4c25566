package pusher

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	maxChannels = 100      // of one event
	maxBatch    = 10       // events of a batch
	maxData     = 10 << 10 // bytes of the data of an event
	// patience is how long a request waits in all for channels that have too much to deliver.
	patience = 2 * time.Second
)

// event is an event of the app.
type event struct {
	Name     string          `json:"name"`
	Data     json.RawMessage `json:"data"`
	Channel  string          `json:"channel"`
	Channels []string        `json:"channels"`
	SocketID string          `json:"socket_id"`
	Info     string          `json:"info"`

	text string // of Data
}

// check checks an event before anything of the request is published.
func (e *event) check() *protocol.Error {
	if e.Channel != "" {
		e.Channels = append(e.Channels, e.Channel)
	}
	e.text = string(e.Data)
	if json.Unmarshal(e.Data, &e.text) != nil {
		e.text = string(e.Data) // some libraries send an object
	}
	switch {
	case e.Name == "" || len(e.Name) > maxEvent || isInternal(e.Name):
		return bad("an event has a name of 1 to 200 bytes that does not start with pusher:")
	case len(e.Data) == 0:
		return bad("an event has data")
	case len(e.text) > maxData:
		return protocol.Errorf(protocol.TooLarge, "the data of an event is larger than %d bytes", maxData)
	case len(e.Channels) == 0 || len(e.Channels) > maxChannels:
		return bad("an event has 1 to 100 channels")
	case e.SocketID != "" && strings.Trim(e.SocketID, "0123456789.") != "":
		return bad("socket_id is not the id of a connection")
	}
	for _, name := range e.Channels {
		if !valid(name) {
			return bad("channel " + protocol.Quote(name) + " has a name that can not be used")
		}
	}
	return nil
}

func bad(text string) *protocol.Error { return protocol.Errorf(protocol.InvalidMessage, "%s", text) }

// events is POST /apps/ID/events.
func (c *call) events() *protocol.Error {
	var ev event
	if json.Unmarshal(c.body, &ev) != nil {
		return bad("the body is no event")
	}
	if e := ev.check(); e != nil {
		return e
	}
	ctx := hub.WithPatience(c.r.Context(), patience)
	if e := c.publish(ctx, &ev); e != nil {
		return e
	}
	if ev.Info == "" {
		return c.ok(struct{}{})
	}
	all := make(map[string]any, len(ev.Channels))
	for _, name := range ev.Channels {
		all[name] = c.describe(ctx, name, ev.Info)
	}
	return c.ok(map[string]any{"channels": all})
}

// batch is POST /apps/ID/batch_events.
func (c *call) batch() *protocol.Error {
	var q struct {
		Batch []event `json:"batch"`
	}
	if json.Unmarshal(c.body, &q) != nil || len(q.Batch) == 0 || len(q.Batch) > maxBatch {
		return bad("the body is a batch of 1 to 10 events")
	}
	for i := range q.Batch {
		if e := q.Batch[i].check(); e != nil {
			return e
		}
	}
	ctx := hub.WithPatience(c.r.Context(), patience)
	infos, any1 := make([]map[string]any, len(q.Batch)), false
	for i := range q.Batch {
		ev := &q.Batch[i]
		if e := c.publish(ctx, ev); e != nil {
			return e
		}
		infos[i] = map[string]any{}
		if ev.Info != "" {
			infos[i], any1 = c.describe(ctx, ev.Channels[0], ev.Info), true
		}
	}
	if !any1 {
		return c.ok(struct{}{})
	}
	return c.ok(map[string]any{"batch": infos})
}

// publish publishes an event to its channels.
func (c *call) publish(ctx context.Context, ev *event) *protocol.Error {
	data := content(ev.text)
	for _, name := range ev.Channels {
		_, e := c.registry.Publishing.Publish(ctx, c.caller(), protocol.Publish{
			Channel: c.app.Prefix + name, Event: ev.Name, Content: data, Except: ev.SocketID,
		})
		if e != nil {
			return e
		}
	}
	return nil
}

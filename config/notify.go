package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// Notify notifies the app of what happens in a hub. Events are sent in batches, signed by the
// conventions of Standard Webhooks, and sent again until the app accepts them. A hub has one
// such block.
type Notify struct {
	// Events names what the app is notified of: `connected`, `disconnected`, `occupied`,
	// `vacated`, `entered`, `left`, `message` and `changed`. Required.
	Events []string `json:"events,omitempty"`

	// Channels are patterns of the channels about which the app is notified, such as
	// `chat:*`. `connected` and `disconnected` have no channel. Default: all channels.
	Channels []string `json:"channels,omitempty"`

	// Secrets sign the requests: one, or two while the app changes from one to the other.
	// Each is `whsec_` and the Base64 form of 24 to 64 bytes. Write placeholders such as
	// {env.SECRET} or {file./path}, so that the secrets themselves stay out of the
	// configuration. They are read when the configuration is loaded. Required.
	Secrets []string `json:"secrets,omitempty"`

	// Batch says how many events one request has.
	Batch NotifyBatch `json:"batch,omitzero"`

	// Retry is how long a batch is sent again that the app does not accept. Then its events
	// are lost, and the next batch says how many. Default: 1h, which zero means as well.
	Retry caddy.Duration `json:"retry,omitempty"`

	// Buffer bounds the events that wait. With Redis it bounds each Redis, and each partition
	// of a cluster.
	Buffer NotifyBuffer `json:"buffer,omitzero"`

	// Routes take the events, as POST requests for the route's path with /notify behind it. A
	// status of 2xx means that the app has the events, 410 that it wants no more of them
	// until the configuration is loaded again. Everything else means that they are sent
	// again. Required.
	Routes caddyhttp.RouteList `json:"routes,omitempty"`

	// directives are the routes in the Caddyfile, until [Notify.ParseRoutes] parses them.
	directives caddyfile.Segment
	// at is where the option channels stands in the Caddyfile, or else the block.
	at *caddyfile.Dispenser
}

// NotifyBatch says how many events one request has.
type NotifyBatch struct {
	// Events is the greatest number of events. Default: 100, which zero means as well.
	Events int `json:"events,omitempty"`

	// Wait is how long a batch that is not full waits for more events. Default: 50ms, which
	// zero means as well.
	Wait caddy.Duration `json:"wait,omitempty"`
}

// NotifyBuffer bounds the events that wait. If they are more, the newest are lost, and an event
// says how many.
type NotifyBuffer struct {
	// Events is the greatest number of events that wait. Default: 100000, which zero means as
	// well.
	Events int `json:"events,omitempty"`

	// Bytes is their greatest size. Default: 67108864 (64MiB), which zero means as well.
	Bytes int64 `json:"bytes,omitempty"`
}

// maxSecrets allows for the change from one secret to another.
const maxSecrets = 2

// Check reports what is wrong whatever the values of placeholders are.
func (c *Notify) Check() error {
	if len(c.Events) == 0 {
		return errors.New("'events' is missing, which says what the app is notified of")
	}
	if _, err := c.types(); err != nil {
		return err
	}
	if _, err := policy.ParsePatterns(c.Channels); err != nil {
		return fmt.Errorf("channels: %w", err)
	}
	switch {
	case len(c.Secrets) == 0:
		return errors.New("'secret' is missing, by which the app knows that an event is genuine; make one with: echo whsec_$(openssl rand -base64 32)")
	case c.Batch.Events < 0 || c.Batch.Wait < 0:
		return errors.New("'batch' is negative")
	case c.Retry < 0:
		return errors.New("'retry' is negative")
	case c.Buffer.Events < 0 || c.Buffer.Bytes < 0:
		return errors.New("'buffer' is negative")
	case cmp.Or(c.Buffer.Events, notify.DefaultBufferEvents) < cmp.Or(c.Batch.Events, notify.DefaultBatch):
		return errors.New("'buffer' has less events than a 'batch'")
	}
	return c.checkSecrets()
}

// checkSecrets checks the secrets that have no placeholders.
func (c *Notify) checkSecrets() error {
	if len(c.Secrets) > maxSecrets {
		return fmt.Errorf("'secret' has %d secrets, and at most %d are in force at the same time", len(c.Secrets), maxSecrets)
	}
	for i, text := range c.Secrets {
		if !block.Constant(text) {
			continue
		}
		if _, err := notify.ParseSecret(text); err != nil {
			return fmt.Errorf("secret %d: %w", i+1, err)
		}
	}
	return nil
}

// types returns the chosen types.
func (c *Notify) types() (all []notify.Type, err error) {
	for _, word := range c.Events {
		t := notify.Type(word)
		switch {
		case !slices.Contains(notify.Types, t):
			return nil, fmt.Errorf("events: '%s' is none of %s", word, join(notify.Types))
		case slices.Contains(all, t):
			return nil, fmt.Errorf("events: '%s' is repeated", word)
		}
		all = append(all, t)
	}
	return all, nil
}

func join(types []notify.Type) (text string) {
	for i, t := range types {
		if i > 0 {
			text += ", "
		}
		text += string(t)
	}
	return text
}

// CheckRooms returns an error if a pattern matches no channel of the hub's rooms, or of its apps.
func (c *Notify) CheckRooms(h *Hub, kinds ...Kinds) error {
	ps, err := policy.ParsePatterns(c.Channels)
	if err != nil {
		return err
	}
	meets, err := ps.Meets(h.patterns(kinds))
	if err != nil {
		return err
	}
	if i := slices.Index(meets, false); i >= 0 {
		return fmt.Errorf("notify: 'channels' has '%s', and no room of the hub has such channels", c.Channels[i])
	}
	return nil
}

// Sink returns the sink that the block describes, without its Post, and the bounds of the
// outbox. It resolves the placeholders of the secrets.
func (c *Notify) Sink() (notify.Sink, notify.Bounds, error) {
	fail := func(err error) (notify.Sink, notify.Bounds, error) { return notify.Sink{}, notify.Bounds{}, err }
	if err := c.Check(); err != nil {
		return fail(err)
	}
	secrets := make([]notify.Secret, len(c.Secrets))
	for i, text := range c.Secrets {
		value, err := block.Resolve(text)
		if err == nil {
			secrets[i], err = notify.ParseSecret(value)
		}
		if err != nil {
			return fail(block.Locate(text, fmt.Errorf("secret %d: %w", i+1, err)))
		}
	}
	types, _ := c.types()
	var channels func(string) bool
	if ps, _ := policy.ParsePatterns(c.Channels); len(ps) > 0 {
		channels = ps.Match
	}
	sink := notify.Sink{
		Name: NotifySink, Choice: notify.NewChoice(types, channels), Sign: notify.SignWith(secrets...),
		Events: c.Batch.Events, Wait: time.Duration(c.Batch.Wait), Retry: time.Duration(c.Retry),
	}
	return sink, notify.Bounds{Events: c.Buffer.Events, Bytes: c.Buffer.Bytes}, nil
}

// NotifySink is the name of the sink of the block. It stays the same, because Redis keeps events
// by it.
const NotifySink = "notify"

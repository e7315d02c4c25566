package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// DefaultActivity is after which silence clients of Pusher's protocol ping.
const DefaultActivity = 2 * time.Minute

// How many members a presence channel of Pusher's protocol has at most: by default, and at all.
const (
	DefaultMembers = 1000
	MaxMembers     = 10_000
)

// Pusher lets clients and libraries of the Pusher Channels protocol use the rooms of the hub, as
// one app. Channels work as there: public ones are open, private and presence channels need a
// signature.
type Pusher struct {
	// App is the id of the app, which stands in the paths of its HTTP API. Required.
	App string `json:"app"`

	// Keys are the keys of the app with their secrets. With several of them one can be replaced
	// without a pause. Write placeholders such as {env.PUSHER_APP_SECRET}. Required.
	Keys []PusherKey `json:"keys,omitempty"`

	// Prefix stands in front of the names of the app's channels in the hub, so that several apps
	// can share it. Default: none.
	Prefix string `json:"prefix,omitempty"`

	// ClientEvents lets clients send events to others in private and presence channels, ten a
	// second in each channel. Default: off.
	ClientEvents bool `json:"client_events,omitempty"`

	// SubscriptionCount sends clients how many subscriptions a channel has on all nodes, whenever that has
	// changed: at most once a second for each channel, and once in 5 seconds beyond 100 of them.
	// Presence channels have members instead. Default: off.
	SubscriptionCount bool `json:"subscription_count,omitempty"`

	// Watchlists tells clients who sign in which users of their watchlists are online on any node, and
	// later what has changed. The app signs the list with the user, and at most 100 users count.
	// Default: off.
	Watchlists bool `json:"watchlists,omitempty"`

	// Recover sends a user whose connection was lost what was missed meanwhile, in rooms with history:
	// to the next connection of the same signed-in user, or of the same member in a presence channel,
	// within 30 seconds on the same node. Cache channels send their latest event in any case.
	// Default: off.
	Recover bool `json:"recover,omitempty"`

	// Path stands in front of /app and /apps, at which clients connect and the HTTP API lies.
	// Default: none.
	Path string `json:"path,omitempty"`

	// Origins are the web origins whose pages may connect, as those of the route. Default: all,
	// because a page that knows the key may, and no cookie counts.
	Origins []string `json:"origins,omitempty"`

	// ActivityTimeout is after which silence a client pings, at least 1s. Default: 2m, which zero
	// means as well.
	ActivityTimeout caddy.Duration `json:"activity_timeout,omitempty"`

	// Members is how many members a presence channel has at most, because clients are sent all of them
	// at once; at most 10000. With large ones raise the queue of the limits. Default: 1000, which zero
	// means as well.
	Members int `json:"members,omitempty"`

	// Webhooks notifies the app of what happens in its channels. Default: the app is not notified.
	Webhooks *PusherWebhooks `json:"webhooks,omitempty"`
}

// PusherKey is a public key with the secret that signs for it.
type PusherKey struct {
	// Key is what clients send. Required.
	Key string `json:"key"`

	// Secret is what only the app and this server know. Required.
	Secret string `json:"secret"`
}

// Check finds what can not work.
func (c *Pusher) Check() error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
	switch {
	case c.App == "" || strings.Trim(c.App, allowed) != "":
		return fmt.Errorf("'%s' is not the id of an app: letters, digits and _ - .", c.App)
	case len(c.Keys) == 0:
		return errors.New("it needs a 'key' and a 'secret'")
	case c.Path != "" && (c.Path[0] != '/' || strings.HasSuffix(c.Path, "/")):
		return fmt.Errorf("the path '%s' does not begin with a slash, or ends with one", c.Path)
	case c.ActivityTimeout != 0 && time.Duration(c.ActivityTimeout) < time.Second:
		return errors.New("'activity_timeout' is less than a second")
	case c.Members < 0 || c.Members > MaxMembers:
		return fmt.Errorf("'members' is not a number from 1 to %d", MaxMembers)
	case c.Prefix != "" && (protocol.ValidChannel(c.Prefix+"x") != nil || len(c.Prefix) > 50):
		return fmt.Errorf("'%s' can not be in front of the name of a channel", c.Prefix)
	}
	if err := c.Webhooks.check(); err != nil {
		return err
	}
	for _, k := range c.Keys {
		if k.Key == "" || k.Secret == "" {
			return errors.New("each 'key' needs a 'secret' behind it")
		}
	}
	return nil
}

// CheckPushers finds apps that have an id or a key in common at one path: requests name the app by them.
func CheckPushers(all []*Pusher) error {
	type name struct{ path, kind, text string }
	owner := make(map[name]string)
	for _, c := range all {
		names := []name{{c.Path, "id", c.App}}
		for _, k := range c.Keys {
			names = append(names, name{c.Path, "key", k.Key})
		}
		for _, n := range names {
			if other, taken := owner[n]; taken {
				return fmt.Errorf("pusher %s: the %s '%s' is in use by the block 'pusher %s' before it", c.App, n.kind, n.text, other)
			}
			owner[n] = c.App
		}
	}
	return nil
}

// ResolveKeys returns the keys without placeholders.
func (c *Pusher) ResolveKeys() ([]PusherKey, error) {
	keys := make([]PusherKey, len(c.Keys))
	for i, k := range c.Keys {
		var err1, err2 error
		keys[i].Key, err1 = block.Resolve(k.Key)
		keys[i].Secret, err2 = block.Resolve(k.Secret)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("pusher %s: %w", c.App, err)
		}
		if strings.ContainsAny(keys[i].Key, ":/?#% ") {
			return nil, fmt.Errorf("pusher %s: a key has a character that can not be in a path", c.App)
		}
	}
	return keys, nil
}

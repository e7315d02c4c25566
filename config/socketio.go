package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/dialect/socketio"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// DefaultSocketIOPath is the path at which clients of Socket.IO connect.
const DefaultSocketIOPath = "/socket.io"

// DefaultConnectTimeout is how long a client of Socket.IO may take to connect to a namespace.
const DefaultConnectTimeout = 45 * time.Second

// MaxConnectTimeout bounds it: a client that connects to nothing costs as much as any other.
const MaxConnectTimeout = 10 * time.Minute

// SocketIO lets clients of Socket.IO use the rooms of the hub. What a server would do with their
// events is said by rules; everything else is a call to the app, if the route has `handle_call`.
type SocketIO struct {
	// Path is the path at which clients connect, whatever the path of the route is. Default:
	// `/socket.io`.
	Path string `json:"path,omitempty"`

	// Prefix stands in front of the names of the rooms in the hub. Default: none.
	Prefix string `json:"prefix,omitempty"`

	// Origins are the web origins whose pages may connect, as those of the route; `*` means all.
	// Only if they are narrowed, the handshake says who the client is: a cookie that identifies
	// its user would be sent by pages of any origin otherwise. Default: all.
	Origins []string `json:"origins,omitempty"`

	// ConnectTimeout is how long a client may take to connect to a namespace; at least 1s, at most 10m. Default:
	// 45s, which zero means as well.
	ConnectTimeout caddy.Duration `json:"connect_timeout,omitempty"`

	// Recovery is how long a client whose connection was lost may go on where it was, with its id, its rooms
	// and what it missed; at least 1s, at most 10m. Default: it can not.
	Recovery caddy.Duration `json:"recovery,omitempty"`

	// Ping is how often clients are pinged, in words of Socket.IO: pingInterval and pingTimeout. A hub has one
	// heartbeat for all of its connections, so this is that of the hub, and contradicts another one
	// there. Default: the heartbeat of the hub.
	Ping *Heartbeat `json:"ping,omitempty"`

	// Cookie is the name of a cookie with the id of the session, by which a load balancer finds the
	// node of a client that polls. Default: none.
	Cookie string `json:"cookie,omitempty"`

	// Emitter takes what emitters of Socket.IO publish in the Redis of the hub. One route of a hub may
	// have it. Default: off.
	Emitter bool `json:"emitter,omitempty"`

	// LaravelEcho makes the root namespace one for pages with Laravel Echo and its broadcaster
	// `socket.io`, and has the routes by which the app is asked. Default: off.
	LaravelEcho *LaravelEcho `json:"laravel_echo,omitempty"`

	// Root is what clients can do in the namespace that all of them know, `/`. Default: nothing.
	Root SocketIONamespace `json:"root,omitzero"`

	// Namespaces are further namespaces. Default: none.
	Namespaces []*SocketIONamespace `json:"namespaces,omitempty"`
}

// SocketIONamespace is what clients can do in one namespace.
type SocketIONamespace struct {
	// Name begins with a slash. The root has none here. Required.
	Name string `json:"name,omitempty"`

	// Rooms lets clients send `join`, `leave`, `message` and `presence` themselves, as far as the rooms
	// allow it. Default: off.
	Rooms bool `json:"rooms,omitempty"`

	// On are the relay rules, of which the first one about an event counts. Default: none.
	On []SocketIORule `json:"on,omitempty"`

	// OnConnect are events that a client is sent when it has connected. Default: none.
	OnConnect []SocketIOEmit `json:"on_connect,omitempty"`
}

// SocketIORule says what happens to an event of a client.
type SocketIORule struct {
	// Event is the name of the event; with a * at its end all events whose names begin so. Required.
	Event string `json:"event"`

	// Do is `all`, `others`, `room`, `join`, `leave`, `reply`, `ack` or `deny`. Required.
	Do socketio.Verb `json:"do"`

	// Argument is the number of the argument that names the room, from 0, for `room`, `join` and
	// `leave`. Default: 0.
	Argument int `json:"argument,omitempty"`

	// As is the name of the event with which `reply` answers. Default: that of the event.
	As string `json:"as,omitempty"`

	// Volatile says that the history does not keep the event, and that a client which can not take it at
	// once does not get it. Default: off.
	Volatile bool `json:"volatile,omitempty"`
}

// SocketIOEmit is an event that a client is sent when it has connected.
type SocketIOEmit struct {
	// Event is its name. Required.
	Event string `json:"event"`

	// Auth makes what the client has sent as its `auth` the argument. Default: off.
	Auth bool `json:"auth,omitempty"`
}

// Compile checks the options and returns what the dialect goes by.
func (c *SocketIO) Compile() (*socketio.Server, error) {
	if c.Path != "" && (c.Path[0] != '/' || strings.HasSuffix(c.Path, "/")) {
		return nil, fmt.Errorf("the path '%s' does not begin with a slash, or ends with one", c.Path)
	}
	for _, check := range []func() error{c.checkPrefix, c.checkConnectTimeout, c.checkRecovery, c.checkCookie} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	if c.Root.Name != "" {
		return nil, errors.New("the root namespace has no name")
	}
	s := &socketio.Server{Prefix: c.Prefix, ConnectTimeout: cmp.Or(time.Duration(c.ConnectTimeout), DefaultConnectTimeout), Recovery: time.Duration(c.Recovery)}
	if c.Ping != nil {
		if err := c.Ping.check(); err != nil {
			return nil, fmt.Errorf("'ping': %w", err)
		}
	}
	root, err := c.Root.compile("/")
	if err != nil {
		return nil, err
	}
	if root.Echo = c.LaravelEcho != nil; root.Echo && root.Rooms {
		return nil, errors.New("'rooms' and 'laravel_echo' are two forms of the same events; write one of them")
	}
	s.Namespaces = append(s.Namespaces, root)
	for i, n := range c.Namespaces {
		if err := c.checkNamespace(i); err != nil {
			return nil, err
		}
		compiled, err := n.compile(n.Name)
		if err != nil {
			return nil, fmt.Errorf("namespace %s: %w", n.Name, err)
		}
		s.Namespaces = append(s.Namespaces, compiled)
	}
	return s, nil
}

func (c *SocketIONamespace) compile(name string) (socketio.Namespace, error) {
	n := socketio.Namespace{Name: name, Rooms: c.Rooms}
	for _, r := range c.On {
		rule := socketio.Rule(r)
		if err := rule.Check(); err != nil {
			return n, err
		}
		n.Rules = append(n.Rules, rule)
	}
	if err := c.checkOrder(); err != nil {
		return n, err
	}
	for _, e := range c.OnConnect {
		emit := socketio.Emit(e)
		if err := emit.Check(); err != nil {
			return n, err
		}
		n.Emits = append(n.Emits, emit)
	}
	return n, nil
}

// Unrecoverable returns a room without history that keeps clients from recovering: the one in which all clients
// of a namespace are, or `*` if no room has history. Empty: there is none.
func (c *SocketIO) Unrecoverable(h *Hub) string {
	if !slices.ContainsFunc(h.Rooms, func(r Room) bool { return r.History.Size > 0 }) {
		return "*"
	}
	var all []policy.Room
	for _, r := range h.Rooms {
		all = append(all, policy.Room{Pattern: r.Pattern, Subscribe: policy.Anyone, History: hub.Retention{Size: r.History.Size, TTL: time.Duration(r.History.TTL)}})
	}
	rooms, err := policy.Compile(all)
	if err != nil {
		return "" // it is reported elsewhere
	}
	for _, name := range append([]string{"/"}, c.names()...) {
		room := c.Prefix + "io:" + name
		if found := rooms.Match(room); found != nil && found.History.Size == 0 {
			return room
		}
	}
	return ""
}

func (c *SocketIO) names() (all []string) {
	for _, n := range c.Namespaces {
		all = append(all, n.Name)
	}
	return all
}

// Narrowed reports whether the handshake says who a client is.
func (c *SocketIO) Narrowed() bool { return len(c.AllowedOrigins()) > 0 }

// AllowedOrigins are the origins whose pages may connect; none means all.
func (c *SocketIO) AllowedOrigins() []string {
	if len(c.Origins) == 1 && c.Origins[0] == "*" {
		return nil
	}
	return c.Origins
}

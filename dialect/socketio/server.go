package socketio

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Server is what the configuration says about the clients of one address. It does not change.
type Server struct {
	// Prefix stands in front of the names of all rooms.
	Prefix string
	// Namespaces are those that clients can connect to; the first one is the root.
	Namespaces []Namespace
	// ConnectTimeout is how long a client may take to connect to a namespace.
	ConnectTimeout time.Duration
	// Recovery is how long a client whose connection was lost may recover it; 0: it can not.
	Recovery time.Duration

	once   sync.Once
	shared hub.Encoder // see encoder; written by once
}

// encoder returns the encoder of all connections. One for each would stay in memory with each.
func (s *Server) encoder() hub.Encoder {
	s.once.Do(func() { s.shared = encoder{s.places(), s.Recovery > 0} })
	return s.shared
}

// Namespace is a namespace with its rules.
type Namespace struct {
	// Name begins with a slash.
	Name string
	// Rooms turns on the events join, leave, message and presence.
	Rooms bool
	// Echo turns on the events of Laravel Echo. Clients get messages in its form.
	Echo bool
	// Rules say what happens to other events. The first one that matches counts.
	Rules []Rule
	// Emits are the events that a client is sent when it has connected.
	Emits []Emit
}

// Emit is an event that a client is sent when it has connected.
type Emit struct {
	Event string
	// Auth says that the client's own auth is the argument.
	Auth bool
}

// CheckNamespace finds names of namespaces that can not be used.
func CheckNamespace(name string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./"
	switch {
	case len(name) < 2 || name[0] != '/' || len(name) > maxNamespace:
		return fmt.Errorf("the namespace '%s' is not a slash and a name", name)
	case strings.Trim(name, allowed) != "":
		return fmt.Errorf("the namespace '%s' has other characters than letters, digits and _ - . /", name)
	case strings.HasSuffix(name, "/"):
		return fmt.Errorf("the namespace '%s' ends with a slash", name)
	case name == "/io":
		return fmt.Errorf("the namespace '/io' would have the rooms in which all clients of a namespace are")
	}
	return nil
}

// namespace returns a namespace by its name; nil if clients can not connect to it.
func (s *Server) namespace(name string) *Namespace {
	for i := range s.Namespaces {
		if s.Namespaces[i].Name == name {
			return &s.Namespaces[i]
		}
	}
	return nil
}

// broadcastRoom returns the room in which all clients of a namespace are.
func (s *Server) broadcastRoom(namespace string) string { return s.Prefix + "io:" + namespace }

// room returns the room of the hub for a room of a namespace. The rooms of namespaces have the name
// of the namespace in front, so that a room of the root can not be one of theirs.
func (s *Server) room(namespace, name string) (string, *protocol.Error) {
	if e := protocol.ValidChannel(name); e != nil {
		return "", e
	}
	if namespace != root {
		name = namespace[1:] + ":" + name
	} else if s.isOthers(name) {
		return "", protocol.Errorf(protocol.InvalidChannel, "the room %s belongs to the server", protocol.Quote(name))
	}
	name = s.Prefix + name
	if e := protocol.ValidChannel(name); e != nil {
		return "", e
	}
	return name, nil
}

// isOthers reports whether a room of the root would be a room of another namespace, or one in which
// all clients of a namespace are.
func (s *Server) isOthers(name string) bool {
	before, _, found := strings.Cut(name, ":")
	return found && (before == "io" || s.namespace("/"+before) != nil)
}

// places is how the encoder finds the namespace of a room. It is comparable. The names of namespaces
// each have a line break in front and a colon behind, then those with the rooms profile a plus sign, and
// those for Laravel Echo an exclamation mark.
type places struct{ prefix, namespaces string }

func (s *Server) places() places {
	p := places{prefix: s.Prefix}
	for _, n := range s.Namespaces {
		p.namespaces += "\n" + n.Name + ":"
		if n.Rooms {
			p.namespaces += "+"
		}
		if n.Echo {
			p.namespaces += "!"
		}
	}
	return p
}

// find returns the namespace of a room and the name that the room has there. all says that it is the
// room of all clients, which has no name there. ok is false for a room that clients of this server have not.
func (p places) find(room string) (namespace, name string, all, ok bool) {
	name, ok = strings.CutPrefix(room, p.prefix)
	if !ok {
		return "", "", false, false
	}
	if namespace, all = strings.CutPrefix(name, "io:"); all {
		return namespace, "", true, p.has(namespace)
	}
	if before, after, found := strings.Cut(name, ":"); found && p.has("/"+before) {
		return "/" + before, after, false, true
	}
	return root, name, false, true
}

func (p places) has(namespace string) bool {
	return strings.Contains(p.namespaces, "\n"+namespace+":")
}

// profiled reports whether a namespace has the rooms profile.
func (p places) profiled(namespace string) bool {
	return strings.Contains(p.namespaces, "\n"+namespace+":+")
}

// echoes reports whether a namespace is for Laravel Echo.
func (p places) echoes(namespace string) bool {
	return strings.Contains(p.namespaces, "\n"+namespace+":!")
}

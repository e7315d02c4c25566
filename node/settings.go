package node

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/caddy-realtime/caddy-realtime/backend/disk"
	"github.com/caddy-realtime/caddy-realtime/backend/redis"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Settings are what a configuration says about a hub, in the words of the packages that
// carry it out. They do not change once the configuration has started.
type Settings struct {
	Hub           hub.Settings
	Session       session.Config
	Presence      presence.Settings
	HistoryMemory int64
	Drain         Drain
	Store         Store
	// Paths are where clients come in, for operators.
	Paths []string
	// Sinks are where events go, and Buffer bounds those that wait.
	Sinks  []notify.Sink
	Buffer notify.Bounds
	// Intake is what the hub takes from other programs; nil for nothing. It needs Redis.
	Intake *Intake
}

// Intake is what a hub takes from other programs, which publish it in the Redis of the hub.
type Intake struct {
	// Channels and Patterns are those of Redis.
	Channels, Patterns []string
	// Take is called for each frame, in order, with the channel. It returns what each node has to do with
	// its own connections, and what one node has to do for all; nil for nothing.
	Take func(r *session.Registry, channel, payload string) (here, all func(context.Context))
}

// LogTo sets the logger of everything in the hub.
func (s *Settings) LogTo(log *slog.Logger) {
	s.Hub.Logger, s.Session.Logger, s.Presence.Logger = log, log, log
}

// Store is where the rooms of a hub are kept: in this process, in a file, or in Redis.
type Store struct {
	// Redis has the options that are in force; nil without Redis.
	Redis *redis.Options
	// Disk has the options of the file that keeps rooms; nil without one.
	Disk *disk.Options
	// Written is what the options were made from, with placeholders replaced.
	Written any
	// Option is how a Caddyfile writes the option, without its block; empty without one.
	Option string
	// Place is the line of a Caddyfile that has the option; empty if it is not known.
	Place string
}

// Same reports whether a hub on s can go on with o. The contents of files are not
// compared.
func (s Store) Same(o Store) bool { return reflect.DeepEqual(s.Written, o.Written) }

// changed returns the error of a reload that would put a hub on s on another store.
func (s Store) changed(to Store) error {
	const way = "undo the change, or restart Caddy, or give the hub another name"
	if s.Option == to.Option {
		return fmt.Errorf("%s now has other options in its block, and a reload can not change them; %s", to, way)
	}
	return fmt.Errorf("the hub started with %s and now has %s, and a reload can not change that; %s", s, to, way)
}

// String returns the option for an error.
func (s Store) String() string {
	switch {
	case s.Option == "":
		return "neither 'store' nor 'redis'"
	case s.Place == "":
		return "'" + s.Option + "'"
	}
	return "'" + s.Option + "' (at " + s.Place + ")"
}

package presence

import (
	"log/slog"
	"time"
)

// The defaults of a configuration.
const (
	DefaultGrace    = 5 * time.Second
	DefaultRemember = 5 * time.Minute
	DefaultSnapshot = 100
)

// Options are the options of one room.
type Options struct {
	// Grace is how long a member may be without a connection before it leaves; 0 means
	// that it leaves at once. A member that leaves explicitly has no grace.
	Grace time.Duration
	// Remember is how long a member that left is listed as offline; 0 means not at all.
	Remember time.Duration
	// Snapshot is the greatest number of members that a frame names; 0 means [DefaultSnapshot].
	Snapshot int
}

// Settings may change while a tracker runs.
type Settings struct {
	// Room returns the options of a channel. It is called whenever they are needed, so a
	// change applies to existing rooms, but not to a grace that has started. It must
	// neither block nor call the tracker. Nil means zero options for all.
	Room func(channel string) Options
	// Logger logs what an operator should know; nil means no log.
	Logger *slog.Logger
}

func (s Settings) withDefaults() Settings {
	if s.Room == nil {
		s.Room = func(string) Options { return Options{} }
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s
}

func (o Options) limit() int {
	if o.Snapshot <= 0 {
		return DefaultSnapshot
	}
	return o.Snapshot
}

package presence

import (
	"log/slog"
	"time"
)

// Values for a configuration that does not say otherwise.
const (
	DefaultGrace    = 5 * time.Second
	DefaultRemember = 5 * time.Minute
	DefaultSnapshot = 100
)

// Options are those of one room.
type Options struct {
	// Grace is how long a member may be without a connection before it leaves; 0:
	// it leaves at once. Explicit leaving has no grace.
	Grace time.Duration
	// Remember is for how long a member that left is still listed as offline; 0:
	// not at all.
	Remember time.Duration
	// Snapshot is the greatest number of members that a frame names; 0 means 100.
	Snapshot int
}

// Settings may change while a tracker lives.
type Settings struct {
	// Room gives the options of a channel. It is asked whenever they are needed, so
	// that a change applies to rooms that exist, though not to a grace that has
	// begun. It must neither block nor call the tracker. Nil means zero options for
	// all.
	Room func(channel string) Options
	// Logger gets what an operator should know; nil means none.
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

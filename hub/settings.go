package hub

import (
	"log/slog"
	"time"
)

// Slow says what happens to a connection whose queue is full.
type Slow uint8

const (
	// SlowDisconnect closes the connection; the client comes back and recovers.
	SlowDisconnect Slow = iota
	// SlowDropOldest drops the oldest queued messages of the room and tells the
	// connection once with a [Gap].
	SlowDropOldest
	// SlowLatest keeps only the newest message of the channel as soon as one
	// waits: for cursors, prices and other values of which only the last counts.
	SlowLatest
)

// RoomOptions are what the hub needs to know of a room.
type RoomOptions struct {
	Retention Retention
	Slow      Slow
}

// Settings are what may change while a hub lives. They apply to connections and
// rooms that exist already.
type Settings struct {
	// Heartbeat is the time between two pings of a connection; 0 means 25 s.
	Heartbeat time.Duration
	// Timeout is how long a ping may stay unanswered; 0 means 10 s. It is at most
	// Heartbeat.
	Timeout time.Duration
	// QueueMessages and QueueBytes bound each connection's queue; 0 means 256
	// messages and 1 MiB.
	QueueMessages int
	QueueBytes    int
	// WriteTimeout bounds a single write to a connection; 0 means 10 s.
	WriteTimeout time.Duration
	// Room gives the options of a channel; nil means zero options for all.
	Room func(channel string) RoomOptions
	// Logger gets what an operator should know; nil means none.
	Logger *slog.Logger
}

func (s Settings) withDefaults() Settings {
	orDuration := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	orDuration(&s.Heartbeat, 25*time.Second)
	orDuration(&s.Timeout, 10*time.Second)
	orDuration(&s.WriteTimeout, 10*time.Second)
	s.Timeout = min(s.Timeout, s.Heartbeat)
	if s.QueueMessages <= 0 {
		s.QueueMessages = 256
	}
	if s.QueueBytes <= 0 {
		s.QueueBytes = 1 << 20
	}
	if s.Room == nil {
		s.Room = func(string) RoomOptions { return RoomOptions{} }
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s
}

package hub

import (
	"log/slog"
	"time"
)

// Slow is what happens when the queue of a connection is full.
type Slow uint8

const (
	// SlowDisconnect closes the connection. The client reconnects and recovers.
	SlowDisconnect Slow = iota
	// SlowDropOldest drops the oldest queued messages of the room. One [Gap] takes their
	// place.
	SlowDropOldest
	// SlowLatest queues only the newest message of the channel: for cursors, prices and
	// other values of which only the last one counts.
	SlowLatest
)

// RoomOptions are the options of one room.
type RoomOptions struct {
	Retention Retention
	Slow      Slow
	// Feed names the feed that each message of the room goes to as well, see [Broker]; empty:
	// none.
	Feed string
}

// The defaults of [Settings].
const (
	DefaultHeartbeat     = 25 * time.Second
	DefaultTimeout       = 10 * time.Second
	DefaultQueueMessages = 256
	DefaultQueueBytes    = 1 << 20
)

// Settings may change while a hub runs. They apply to existing connections and rooms as
// well.
type Settings struct {
	// Heartbeat is the time between two pings of a connection; 0 means
	// [DefaultHeartbeat].
	Heartbeat time.Duration
	// Timeout is how long a ping may stay unanswered; 0 means [DefaultTimeout]. It is
	// at most Heartbeat.
	Timeout time.Duration
	// QueueMessages and QueueBytes bound each connection's queue; 0 means
	// [DefaultQueueMessages] and [DefaultQueueBytes].
	QueueMessages int
	QueueBytes    int
	// WriteTimeout bounds a single write to a connection; 0 means 10 s.
	WriteTimeout time.Duration
	// Room returns the options of a channel. It must neither block nor call the hub. Nil
	// means zero options for all.
	Room func(channel string) RoomOptions
	// Logger logs what an operator should know; nil means no log.
	Logger *slog.Logger
}

func (s Settings) withDefaults() Settings {
	orDuration := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	orDuration(&s.Heartbeat, DefaultHeartbeat)
	orDuration(&s.Timeout, DefaultTimeout)
	orDuration(&s.WriteTimeout, 10*time.Second)
	s.Timeout = min(s.Timeout, s.Heartbeat)
	if s.QueueMessages <= 0 {
		s.QueueMessages = DefaultQueueMessages
	}
	if s.QueueBytes <= 0 {
		s.QueueBytes = DefaultQueueBytes
	}
	if s.Room == nil {
		s.Room = func(string) RoomOptions { return RoomOptions{} }
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s
}

package config

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/node"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Compile checks the configuration, also what it says across several options, and returns
// it in the words of the packages that carry it out. If read is nil, the files that the
// configuration names are not looked at.
func (c *Hub) Compile(read ReadFile) (*node.Settings, error) {
	if err := c.Heartbeat.check(); err != nil {
		return nil, fmt.Errorf("heartbeat: %w", err)
	}
	limits, err := c.Limits.compile()
	if err != nil {
		return nil, fmt.Errorf("limits: %w", err)
	}
	rooms, err := c.compileRooms(read)
	if err != nil {
		return nil, err
	}
	if err := c.fits(); err != nil {
		return nil, err
	}
	drain, err := c.Drain.compile()
	if err != nil {
		return nil, fmt.Errorf("drain: %w", err)
	}
	kept, err := c.compileStore(read)
	if err != nil {
		return nil, err
	}
	return &node.Settings{
		Hub: hub.Settings{
			Heartbeat:     time.Duration(c.Heartbeat.Interval),
			Timeout:       time.Duration(c.Heartbeat.Timeout),
			QueueMessages: c.Limits.Queue.Messages,
			QueueBytes:    int(cmp.Or(c.Limits.Queue.Bytes, hub.DefaultQueueBytes)),
			Room:          rooms.Options,
		},
		Session:       session.Config{Policy: rooms, Limits: limits},
		Presence:      presence.Settings{Room: rooms.Presence},
		HistoryMemory: c.Limits.HistoryMemory,
		Store:         kept,
		Drain:         drain,
	}, nil
}

func (c *Hub) compileRooms(read ReadFile) (*policy.Policy, error) {
	rooms := make([]policy.Room, len(c.Rooms))
	for i, r := range c.Rooms {
		var err error
		if rooms[i], err = r.compile(read); err != nil {
			return nil, fmt.Errorf("room '%s': %w", r.Pattern, err)
		}
	}
	return policy.Compile(rooms)
}

// fits reports bounds of rooms that the limits of the hub make meaningless.
func (c *Hub) fits() error {
	for _, r := range c.Rooms {
		err := errors.Join(
			r.Content.fits(cmp.Or(c.Limits.MessageSize, session.DefaultMessageSize)),
			r.Document.fits(cmp.Or(c.Limits.Queue.Bytes, hub.DefaultQueueBytes)),
		)
		if err != nil {
			return fmt.Errorf("room '%s': %w", r.Pattern, err)
		}
	}
	return nil
}

// ReadFile reads the files that a configuration names. Where it is nil they are not
// looked at: a Caddyfile is often adapted on another machine than it is meant for.
type ReadFile func(name string) ([]byte, error)

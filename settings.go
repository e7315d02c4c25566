package realtime

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// settings are a [HubConfig] in the words of the packages that carry it out. They
// belong to one configuration and do not change once it has started.
type settings struct {
	hub           hub.Settings
	session       session.Config
	presence      presence.Settings
	historyMemory int64
	store         store
}

// The defaults that are decided here, or that other options are compared with; hub
// and session decide the others.
const (
	defaultInterval    = 25 * time.Second
	defaultChannels    = 100
	defaultMessageSize = 64 << 10
	defaultQueueBytes  = 1 << 20
	// defaultDocumentMemory is for the documents of all rooms.
	defaultDocumentMemory = 256 << 20
	// defaultRequestMemory is enough for 250 of the greatest answers at once.
	defaultRequestMemory = 128 << 20
	// minMessageSize leaves room for the commands with a channel name of the
	// greatest length.
	minMessageSize = 512
)

// logTo sets the logger of everything in the hub.
func (s *settings) logTo(log *slog.Logger) *settings {
	s.hub.Logger, s.session.Logger, s.presence.Logger = log, log, log
	return s
}

// compile checks the configuration, also what it says across several options. The
// files that it names are looked at only where read is given.
func (c *HubConfig) compile(read readFile) (*settings, error) {
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
	kept, err := c.Redis.compile(read)
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	return &settings{
		hub: hub.Settings{
			Heartbeat:     time.Duration(c.Heartbeat.Interval),
			Timeout:       time.Duration(c.Heartbeat.Timeout),
			QueueMessages: c.Limits.Queue.Messages,
			QueueBytes:    int(cmp.Or(c.Limits.Queue.Bytes, defaultQueueBytes)),
			Room:          rooms.Options,
		},
		session:       session.Config{Policy: rooms, Limits: limits},
		presence:      presence.Settings{Room: rooms.Presence},
		historyMemory: c.Limits.HistoryMemory,
		store:         kept,
	}, nil
}

func (c *HeartbeatConfig) check() error {
	interval := cmp.Or(time.Duration(c.Interval), defaultInterval)
	switch timeout := time.Duration(c.Timeout); {
	case interval < 0 || timeout < 0:
		return errors.New("negative duration")
	case timeout > interval:
		return fmt.Errorf("the timeout of %v contradicts the interval of %v, which is shorter", timeout, interval)
	}
	return nil
}

func (c *HubConfig) compileRooms(read readFile) (*policy.Policy, error) {
	rooms := make([]policy.Room, len(c.Rooms))
	for i, r := range c.Rooms {
		var err error
		if rooms[i], err = r.compile(read); err != nil {
			return nil, fmt.Errorf("room '%s': %w", r.Pattern, err)
		}
	}
	return policy.Compile(rooms)
}

// fits finds bounds of rooms that the hub's own make void.
func (c *HubConfig) fits() error {
	for _, r := range c.Rooms {
		err := errors.Join(
			r.Content.fits(cmp.Or(c.Limits.MessageSize, defaultMessageSize)),
			r.Document.fits(cmp.Or(c.Limits.Queue.Bytes, defaultQueueBytes)),
		)
		if err != nil {
			return fmt.Errorf("room '%s': %w", r.Pattern, err)
		}
	}
	return nil
}

func (c *LimitsConfig) compile() (session.Limits, error) {
	size := cmp.Or(c.MessageSize, defaultMessageSize)
	switch {
	case min(c.Connections, c.ConnectionsPerUser, c.ConnectionsPerIP, c.Channels, c.Queue.Messages) < 0,
		min(c.Queue.Bytes, c.HistoryMemory, c.DocumentMemory, c.DocumentShare, c.RequestMemory, c.RequestMemoryPerIP) < 0:
		return session.Limits{}, errors.New("negative number")
	case c.DocumentShare > cmp.Or(c.DocumentMemory, defaultDocumentMemory):
		return session.Limits{}, fmt.Errorf("the share of %d bytes is more than document_memory", c.DocumentShare)
	case size < minMessageSize:
		return session.Limits{}, fmt.Errorf("message_size %d is less than %d bytes, in which not every command fits", size, minMessageSize)
	case size > cmp.Or(c.Queue.Bytes, defaultQueueBytes):
		return session.Limits{}, fmt.Errorf("message_size %d is more than the queue holds, which is %d bytes", size, cmp.Or(c.Queue.Bytes, defaultQueueBytes))
	}
	memory := cmp.Or(c.RequestMemory, defaultRequestMemory)
	limits := session.Limits{
		RequestMemory:      memory,
		RequestMemoryPerIP: cmp.Or(c.RequestMemoryPerIP, memory/4),
		Connections:        c.Connections,
		ConnectionsPerUser: c.ConnectionsPerUser,
		ConnectionsPerIP:   c.ConnectionsPerIP,
		Handshakes:         policy.Rate(c.Handshakes),
		HandshakesPerIP:    policy.Rate(c.HandshakesPerIP),
		Rate:               policy.Rate(c.Rate),
		Channels:           cmp.Or(c.Channels, defaultChannels),
		MessageSize:        int(size),
		DocumentMemory:     c.DocumentMemory,
		DocumentShare:      c.DocumentShare,
	}
	return limits, errors.Join(limits.Handshakes.Validate(), limits.HandshakesPerIP.Validate(), limits.Rate.Validate())
}

func (c *RoomConfig) compile(read readFile) (policy.Room, error) {
	var errs [10]error
	room := policy.Room{
		Pattern: c.Pattern,
		History: hub.Retention{Size: c.History.Size, TTL: time.Duration(c.History.TTL)},
		Rate:    policy.Rate(c.Rate), TotalRate: policy.Rate(c.TotalRate),
	}
	room.Subscribe, errs[0] = policy.ParseAccess(cmp.Or(c.Subscribe, policy.Users.String()))
	room.Publish, errs[1] = policy.ParseAccess(cmp.Or(c.Publish, policy.Server.String()))
	room.Slow, errs[2] = parseSlow(c.Slow)
	room.Members, room.PresenceAccess, errs[3] = c.Presence.compile()
	if c.Read != "" {
		room.HistoryAccess, errs[4] = policy.ParseAccess(c.Read)
	}
	if room.Bounds, errs[5] = c.Content.compile(); errs[5] != nil {
		errs[5] = fmt.Errorf("content: %w", errs[5])
	}
	room.Schema, errs[6] = c.Schema.compile(read)
	room.Sanitize, errs[7] = policy.ParseSanitize(cmp.Or(c.Sanitize, policy.SanitizeNone.String()))
	room.Document, errs[8] = c.Document.compile()
	room.ChangeAccess, errs[9] = c.Document.access()
	if err := errors.Join(errs[:]...); err != nil {
		return policy.Room{}, err
	}
	return room, contradiction(&room)
}

// contradiction finds options that cancel each other, which shows that the author
// expects something else than what would happen.
func contradiction(r *policy.Room) error {
	anonymous := r.Subscribe == policy.Anyone || r.Publish == policy.Anyone || r.HistoryAccess == policy.Anyone || r.ChangeAccess == policy.Anyone
	appAlone := r.Publish == policy.Server && (r.ChangeAccess == policy.Default || r.ChangeAccess == policy.Server)
	switch {
	case anonymous && strings.Contains(r.Pattern, "{user}"):
		return errors.New("'anyone' contradicts '{user}' in the pattern, which leaves out anonymous clients")
	case appAlone && !r.Rate.IsZero():
		return errors.New("'rate' contradicts 'publish server', because the app is not limited")
	case appAlone && !r.TotalRate.IsZero():
		return errors.New("'total_rate' contradicts 'publish server', because the app is not limited")
	case r.History.Size == 0 && r.HistoryAccess != policy.Default:
		return errors.New("'read' is about the history, and there is none")
	case r.History.Size == 0 && r.History.TTL != 0:
		return errors.New("'history' has a time but no number of messages")
	}
	return nil
}

// parseSlow reads the word for a slow policy; none means the default.
func parseSlow(word string) (hub.Slow, error) {
	switch word {
	case "", "disconnect":
		return hub.SlowDisconnect, nil
	case "drop_oldest":
		return hub.SlowDropOldest, nil
	case "latest":
		return hub.SlowLatest, nil
	}
	return 0, fmt.Errorf("'%s' is none of disconnect, drop_oldest, latest", word)
}

package realtime

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/session"
)

func TestCompile(t *testing.T) {
	t.Parallel()
	c := &HubConfig{
		Heartbeat: HeartbeatConfig{Interval: caddy.Duration(30 * time.Second), Timeout: caddy.Duration(5 * time.Second)},
		Limits: LimitsConfig{
			Connections: 1, ConnectionsPerUser: 2, ConnectionsPerIP: 3, Handshakes: RateConfig{4, 5}, Channels: 6,
			MessageSize: 7000, Rate: RateConfig{8, 9}, Queue: QueueConfig{10, 11000}, HistoryMemory: 12,
			DocumentMemory: 13000, DocumentShare: 1300, RequestMemory: 16, RequestMemoryPerIP: 17,
		},
		Rooms: []RoomConfig{
			{Pattern: "open:*", Subscribe: "anyone", Publish: "users", History: HistoryConfig{13, caddy.Duration(time.Minute)}, Slow: "latest", Rate: RateConfig{14, 15}},
			{Pattern: "*"},
		},
	}
	s, err := c.compile(os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	limits := session.Limits{
		Connections: 1, ConnectionsPerUser: 2, ConnectionsPerIP: 3, Handshakes: policy.Rate{PerSecond: 4, Burst: 5}, Channels: 6,
		MessageSize: 7000, Rate: policy.Rate{PerSecond: 8, Burst: 9},
		DocumentMemory: 13000, DocumentShare: 1300, RequestMemory: 16, RequestMemoryPerIP: 17,
	}
	if s.session.Limits != limits {
		t.Errorf("limits %+v", s.session.Limits)
	}
	if s.hub.Heartbeat != 30*time.Second || s.hub.Timeout != 5*time.Second || s.hub.QueueMessages != 10 || s.hub.QueueBytes != 11000 || s.historyMemory != 12 {
		t.Errorf("settings %+v, %d", s.hub, s.historyMemory)
	}
	room := s.session.Policy.Match("open:1")
	if room.Subscribe != policy.Anyone || room.Publish != policy.Users || room.Rate != (policy.Rate{PerSecond: 14, Burst: 15}) {
		t.Errorf("room %+v", room)
	}
	if o := s.hub.Room("open:1"); o != (hub.RoomOptions{Retention: hub.Retention{Size: 13, TTL: time.Minute}, Slow: hub.SlowLatest}) {
		t.Errorf("options %+v", o)
	}
	if other := s.session.Policy.Match("other"); other.Subscribe != policy.Users || other.Publish != policy.Server || other.Slow != hub.SlowDisconnect {
		t.Errorf("defaults %+v", other)
	}
}

func TestCompileDefaults(t *testing.T) {
	t.Parallel()
	s, err := new(HubConfig).compile(os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	if s.session.Limits != (session.Limits{Channels: 100, MessageSize: 64 << 10, RequestMemory: 128 << 20, RequestMemoryPerIP: 32 << 20}) || s.hub.QueueBytes != 1<<20 {
		t.Errorf("%+v, %d", s.session.Limits, s.hub.QueueBytes)
	}
	if s.session.Policy.Match("anything") != nil {
		t.Error("a hub without rooms has a room")
	}
}

// TestCompileRefuses is about what JSON can say and the Caddyfile can not.
func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	room := func(r RoomConfig) *HubConfig { return &HubConfig{Rooms: []RoomConfig{r}} }
	for want, c := range map[string]*HubConfig{
		"negative duration":        {Heartbeat: HeartbeatConfig{Timeout: -1}},
		"contradicts the interval": {Heartbeat: HeartbeatConfig{Interval: 1, Timeout: 2}},
		"limits: negative":         {Limits: LimitsConfig{Queue: QueueConfig{Bytes: -1}}},
		"negative number":          {Limits: LimitsConfig{Channels: -1}},
		"not a positive number":    {Limits: LimitsConfig{Rate: RateConfig{PerSecond: -1}}},
		"has no rate beside it":    {Limits: LimitsConfig{Handshakes: RateConfig{Burst: 1}}},
		"more than the queue":      {Limits: LimitsConfig{MessageSize: 5000, Queue: QueueConfig{Bytes: 4999}}},
		"less than 512":            {Limits: LimitsConfig{MessageSize: 511}},
		"empty pattern":            room(RoomConfig{}),
		`"all" is none of`:         room(RoomConfig{Pattern: "x", Subscribe: "all"}),
		`"none" is none of`:        room(RoomConfig{Pattern: "x", Publish: "none"}),
		"'fast' is none of":        room(RoomConfig{Pattern: "x", Slow: "fast"}),
		"has a time but no":        room(RoomConfig{Pattern: "x", History: HistoryConfig{TTL: 1}}),
		"contradicts '{user}'":     room(RoomConfig{Pattern: "{user}", Publish: "anyone"}),
		"contradicts 'publish":     room(RoomConfig{Pattern: "x", Rate: RateConfig{PerSecond: 1}}),
		"-1 0s is negative":        room(RoomConfig{Pattern: "x", History: HistoryConfig{Size: -1}}),
		`room "x": never`:          {Rooms: []RoomConfig{{Pattern: "x"}, {Pattern: "x"}}},
	} {
		if _, err := c.compile(os.ReadFile); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, not one with %q", err, want)
		}
	}
}

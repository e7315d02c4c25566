package config

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
	c := &Hub{
		Heartbeat: Heartbeat{Interval: caddy.Duration(30 * time.Second), Timeout: caddy.Duration(5 * time.Second)},
		Limits: Limits{
			Connections: 1, ConnectionsPerUser: 2, ConnectionsPerIP: 3, Handshakes: Rate{4, 5}, Channels: 6,
			MessageSize: 7000, Rate: Rate{8, 9}, Queue: Queue{10, 11000}, HistoryMemory: 12,
			DocumentMemory: 13000, DocumentShare: 1300, RequestMemory: 16, RequestMemoryPerIP: 17,
		},
		Rooms: []Room{
			{Pattern: "open:*", Subscribe: "anyone", Publish: "users", History: History{13, caddy.Duration(time.Minute)}, Slow: "latest", Rate: Rate{14, 15}},
			{Pattern: "*"},
		},
	}
	s, err := c.Compile(os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	limits := session.Limits{
		Connections: 1, ConnectionsPerUser: 2, ConnectionsPerIP: 3, Handshakes: policy.Rate{PerSecond: 4, Burst: 5}, Channels: 6,
		MessageSize: 7000, Rate: policy.Rate{PerSecond: 8, Burst: 9},
		DocumentMemory: 13000, DocumentShare: 1300, RequestMemory: 16, RequestMemoryPerIP: 17,
	}
	if s.Session.Limits != limits {
		t.Errorf("limits %+v", s.Session.Limits)
	}
	if s.Hub.Heartbeat != 30*time.Second || s.Hub.Timeout != 5*time.Second || s.Hub.QueueMessages != 10 || s.Hub.QueueBytes != 11000 || s.HistoryMemory != 12 {
		t.Errorf("settings %+v, %d", s.Hub, s.HistoryMemory)
	}
	room := s.Session.Policy.Match("open:1")
	if room.Subscribe != policy.Anyone || room.Publish != policy.Users || room.Rate != (policy.Rate{PerSecond: 14, Burst: 15}) {
		t.Errorf("room %+v", room)
	}
	if o := s.Hub.Room("open:1"); o != (hub.RoomOptions{Retention: hub.Retention{Size: 13, TTL: time.Minute}, Slow: hub.SlowLatest}) {
		t.Errorf("options %+v", o)
	}
	if other := s.Session.Policy.Match("other"); other.Subscribe != policy.Users || other.Publish != policy.Server || other.Slow != hub.SlowDisconnect {
		t.Errorf("defaults %+v", other)
	}
}

func TestCompileDefaults(t *testing.T) {
	t.Parallel()
	s, err := new(Hub).Compile(os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	if s.Session.Limits != (session.Limits{Channels: DefaultChannels, MessageSize: session.DefaultMessageSize, RequestMemory: DefaultRequestMemory, RequestMemoryPerIP: DefaultRequestMemory / 4}) || s.Hub.QueueBytes != hub.DefaultQueueBytes {
		t.Errorf("%+v, %d", s.Session.Limits, s.Hub.QueueBytes)
	}
	if s.Session.Policy.Match("anything") != nil {
		t.Error("a hub without rooms has a room")
	}
}

// TestCompileRefuses is about what JSON can say and the Caddyfile can not.
func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	room := func(r Room) *Hub { return &Hub{Rooms: []Room{r}} }
	for want, c := range map[string]*Hub{
		"the timeout is negative":   {Heartbeat: Heartbeat{Timeout: -1}},
		"contradicts the interval":  {Heartbeat: Heartbeat{Interval: 1, Timeout: 2}},
		"limits: negative":          {Limits: Limits{Queue: Queue{Bytes: -1}}},
		"negative number":           {Limits: Limits{Channels: -1}},
		"must be a positive number": {Limits: Limits{Rate: Rate{PerSecond: -1}}},
		"but there is no rate":      {Limits: Limits{Handshakes: Rate{Burst: 1}}},
		"more than the queue":       {Limits: Limits{MessageSize: 5000, Queue: Queue{Bytes: 4999}}},
		"less than 512":             {Limits: Limits{MessageSize: 511}},
		"the pattern is empty":      room(Room{}),
		`"all" is none of`:          room(Room{Pattern: "x", Subscribe: "all"}),
		`"none" is none of`:         room(Room{Pattern: "x", Publish: "none"}),
		"'fast' is none of":         room(Room{Pattern: "x", Slow: "fast"}),
		"has a time but no":         room(Room{Pattern: "x", History: History{TTL: 1}}),
		"contradicts '{user}'":      room(Room{Pattern: "{user}", Publish: "anyone"}),
		"contradicts 'publish":      room(Room{Pattern: "x", Rate: Rate{PerSecond: 1}}),
		"-1 0s is negative":         room(Room{Pattern: "x", History: History{Size: -1}}),
		`room "x": never`:           {Rooms: []Room{{Pattern: "x"}, {Pattern: "x"}}},
	} {
		if _, err := c.Compile(os.ReadFile); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, not one with %q", err, want)
		}
	}
}

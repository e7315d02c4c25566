package config

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/policy"
)

// Cache channels keep their latest event, whichever block they are in, and are otherwise as open as
// their kind.
func TestCacheKinds(t *testing.T) {
	c := &Hub{Rooms: []Room{
		{Pattern: "private-cache-log*", History: History{Size: 7}},
		{Pattern: "cache-brief", Subscribe: "anyone", History: History{Size: 3}},
		{Pattern: "private-*", Subscribe: "users"},
		{Pattern: "*", Subscribe: "anyone"},
	}}
	p, err := c.compileKinds(nil, []Kinds{{}, {Prefix: "shop:"}})
	if err != nil {
		t.Fatal(err)
	}
	for channel, want := range map[string]struct {
		size   int
		access policy.Access
	}{
		"news":                      {0, policy.Anyone},
		"cache-news":                {1, policy.Anyone},
		"cache-brief":               {3, policy.Anyone},
		"private-x":                 {0, policy.Users},
		"private-cache-x":           {1, policy.Users},
		"private-encrypted-cache-x": {1, policy.Users},
		"private-cache-log1":        {7, policy.Granted},
		"presence-cache-x":          {1, policy.Granted},
		"shop:news":                 {0, policy.Anyone},
		"shop:cache-x":              {1, policy.Anyone},
		"shop:private-cache-x":      {1, policy.Granted},
		"#server-to-user-cache-x":   {0, policy.Granted},
	} {
		room := p.Match(channel)
		if room == nil || room.History.Size != want.size || room.Subscribe != want.access {
			t.Errorf("%s: %+v", channel, room)
		}
	}
	if room := p.Match("presence-cache-x"); room.Members == nil {
		t.Error("presence-cache- has no members")
	}
	if room := p.Match("cache-x"); room.History.TTL != CacheTime {
		t.Errorf("an event is kept for %v", room.History.TTL)
	}
}

// The patterns of 'notify' and 'handle_message' may be about the rooms of apps.
func TestPatternsOfKinds(t *testing.T) {
	hub := &Hub{Rooms: []Room{{Pattern: "chat:*"}}}
	shop := KindsOf([]*Pusher{{Prefix: "shop."}})
	for pattern, want := range map[string]bool{"chat:1": true, "shop.news": true, "shop.private-*": true, "news": false} {
		notified := (&Notify{Channels: []string{pattern}}).CheckRooms(hub, shop...)
		handled := (&HandleMessage{Channels: []string{pattern}}).CheckReached(hub, shop...)
		if (notified == nil) != want || (handled == nil) != want {
			t.Errorf("%s: %v, %v", pattern, notified, handled)
		}
	}
	if err := (&Notify{Channels: []string{"shop.news"}}).CheckRooms(hub); err == nil {
		t.Error("without an app nothing is missing")
	}
}

// Clients of Pusher's protocol can not ask for the rest of a list of members.
func TestMembersOfKinds(t *testing.T) {
	c := &Hub{Rooms: []Room{{Pattern: "presence-small*", Presence: &Presence{Snapshot: 10}}}}
	p, err := c.compileKinds(nil, KindsOf([]*Pusher{{Members: 5000}}))
	if err != nil {
		t.Fatal(err)
	}
	for _, channel := range []string{"presence-small1", "presence-x"} {
		if n := p.Match(channel).Members.Snapshot; n < 5000 {
			t.Errorf("%s: a client is sent %d members", channel, n)
		}
	}
}

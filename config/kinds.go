package config

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/node"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// Kinds are the channels of an app whose names say what they are: Pusher's.
type Kinds struct {
	Prefix       string // in front of all names
	ClientEvents bool
	Members      int // of a presence channel at most
}

// KindsOf returns the channels of apps.
func KindsOf(apps []*Pusher) (all []Kinds) {
	for _, c := range apps {
		k := Kinds{Prefix: c.Prefix, ClientEvents: c.ClientEvents, Members: cmp.Or(c.Members, DefaultMembers)}
		if !slices.Contains(all, k) {
			all = append(all, k)
		}
	}
	return all
}

// The beginnings of names whose channels need a signature.
var signedKinds = []string{"private-", "presence-", "#server-to-user-"}

// cacheKinds are the beginnings of names whose channels keep their latest event for new subscribers.
var cacheKinds = []string{"cache-", "private-cache-", "private-encrypted-cache-", "presence-cache-"}

// CacheTime is how long a cache channel keeps its event, as at Pusher.
const CacheTime = 30 * time.Minute

// spareMembers are those that may enter at the same time as the last one for whom there is space.
const spareMembers = 100

// whisperRate is how fast one client may send events into one channel, as at Pusher.
var whisperRate = policy.Rate{PerSecond: 10, Burst: 10}

// OpenKinds adds the rooms of apps to the settings of a hub. A block that starts with a kind keeps
// what it says; what it leaves out is the rule of the kind. Blocks such as `*` do not have the
// signed kinds: a native client could read them without a signature otherwise.
func (c *Hub) OpenKinds(s *node.Settings, read ReadFile, kinds []Kinds) error {
	if len(kinds) == 0 {
		return nil
	}
	p, err := c.compileKinds(read, kinds)
	if err != nil {
		return err
	}
	s.Session.Policy, s.Hub.Room, s.Presence.Room = p, p.Options, p.Presence
	return nil
}

func (c *Hub) compileKinds(read ReadFile, kinds []Kinds) (*policy.Policy, error) {
	var signed, others []policy.Room
	for i := range c.Rooms {
		said := &c.Rooms[i]
		room, err := said.compile(read)
		if err != nil {
			return nil, err
		}
		k, kind := kindOf(said.Pattern, kinds)
		if kind != "" {
			k.fill(&room, said, kind)
		}
		for _, k := range kinds {
			signed = append(signed, k.cached(room)...)
		}
		if kind == "" && !isCache(said.Pattern, kinds) {
			others = append(others, room)
			continue
		}
		signed = append(signed, room)
	}
	for _, k := range kinds {
		for _, kind := range cacheKinds {
			room := policy.Room{Pattern: k.Prefix + kind + "*", Subscribe: policy.Anyone}
			if kind != "cache-" {
				k.fill(&room, new(Room), kind)
			}
			keepLatest(&room)
			signed = append(signed, room)
		}
		for _, kind := range signedKinds {
			room := policy.Room{Pattern: k.Prefix + kind + "*"}
			k.fill(&room, new(Room), kind)
			signed = append(signed, room)
		}
	}
	p, err := policy.Compile(append(policy.Reached(signed), others...))
	if err != nil {
		return nil, err
	}
	for _, k := range kinds {
		p = p.OrElse(policy.Room{Pattern: k.Prefix + "*", Subscribe: policy.Anyone})
	}
	return p, nil
}

// patterns lists those of the rooms, and of the rooms that apps add.
func (c *Hub) patterns(kinds []Kinds) (all []string) {
	for _, r := range c.Rooms {
		all = append(all, r.Pattern)
	}
	for _, k := range kinds {
		all = append(all, k.Prefix+"*")
		for _, kind := range signedKinds {
			all = append(all, k.Prefix+kind+"*")
		}
	}
	return all
}

// kindOf returns the app and the kind that a pattern starts with; empty for none.
func kindOf(pattern string, kinds []Kinds) (Kinds, string) {
	for _, k := range kinds {
		for _, kind := range signedKinds {
			if strings.HasPrefix(pattern, k.Prefix+kind) {
				return k, kind
			}
		}
	}
	return Kinds{}, ""
}

// isCache reports whether a pattern has only cache channels.
func isCache(pattern string, kinds []Kinds) bool {
	return slices.ContainsFunc(kinds, func(k Kinds) bool {
		return slices.ContainsFunc(cacheKinds, func(kind string) bool { return strings.HasPrefix(pattern, k.Prefix+kind) })
	})
}

// cached returns the blocks of the cache channels that are among the channels of a block: they have its
// rules and keep their latest event.
func (k Kinds) cached(room policy.Room) (all []policy.Room) {
	_, signed := kindOf(room.Pattern, []Kinds{k})
	beginning, open := strings.CutSuffix(room.Pattern, "*")
	for _, kind := range cacheKinds {
		one := room
		switch {
		case strings.HasPrefix(room.Pattern, k.Prefix+kind):
			// The block is for such channels alone.
		case !open || !strings.HasPrefix(k.Prefix+kind, beginning):
			continue
		case signed == "" && kind != "cache-":
			continue // a block such as `*` does not have the signed kinds
		default:
			one.Pattern = k.Prefix + kind + "*"
		}
		keepLatest(&one)
		all = append(all, one)
	}
	return all
}

// keepLatest gives a block history for one event, unless it has history.
func keepLatest(room *policy.Room) {
	if room.History.Size == 0 {
		room.History = hub.Retention{Size: 1, TTL: CacheTime}
	}
}

// fill sets what a block leaves out by the rule of its kind.
func (k Kinds) fill(room *policy.Room, said *Room, kind string) {
	if said.Subscribe == "" {
		room.Subscribe = policy.Granted
	}
	if said.Publish == "" && k.ClientEvents && kind != "#server-to-user-" {
		room.Publish = policy.Granted
		if room.Rate.IsZero() {
			room.Rate = whisperRate
		}
	}
	if !strings.HasPrefix(kind, "presence-") {
		return
	}
	members := presence.Options{Grace: presence.DefaultGrace}
	if room.Members != nil {
		members = *room.Members
	}
	members.Snapshot = max(members.Snapshot, k.Members+spareMembers) // clients can not ask for the rest
	room.Members = &members
}

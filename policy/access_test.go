package policy

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestAllow(t *testing.T) {
	t.Parallel()
	p := compile(t,
		Room{Pattern: "open", Subscribe: Anyone, Publish: Anyone},
		Room{Pattern: "known", Subscribe: Users, Publish: Users},
		Room{Pattern: "news", Subscribe: Anyone},
		Room{Pattern: "inbox:{user}", Subscribe: Users},
		Room{Pattern: "wall:{user}:*", Subscribe: Anyone, Publish: Anyone},
		Room{Pattern: "pair:{user}:{user}", Subscribe: Users},
		Room{Pattern: "shut"},
		Room{Pattern: "odd", Subscribe: Anyone + 1},
	)
	const ok = protocol.Code("")
	tests := []struct {
		user, channel      string
		subscribe, publish protocol.Code
	}{
		{"", "open", ok, ok},
		{"ann", "open", ok, ok},
		{"", "known", protocol.Unauthorized, protocol.Unauthorized},
		{"ann", "known", ok, ok},
		{"", "news", ok, protocol.Forbidden},
		{"ann", "news", ok, protocol.Forbidden},
		{"ann", "inbox:ann", ok, protocol.Forbidden},
		{"ann", "inbox:bob", protocol.Forbidden, protocol.Forbidden},
		{"ann", "inbox:Ann", protocol.Forbidden, protocol.Forbidden},
		{"", "inbox:ann", protocol.Unauthorized, protocol.Forbidden},
		{"", "wall:ann:1", protocol.Unauthorized, protocol.Unauthorized},
		{"ann", "wall:ann:1", ok, ok},
		{"ann", "wall:ann:1:2", ok, ok},
		{"bob", "wall:ann:1", protocol.Forbidden, protocol.Forbidden},
		{"ann", "pair:ann:ann", ok, protocol.Forbidden},
		{"ann", "pair:ann:bob", protocol.Forbidden, protocol.Forbidden},
		{"ann", "pair:bob:ann", protocol.Forbidden, protocol.Forbidden},
		{"ann", "shut", protocol.Forbidden, protocol.Forbidden},
		{"ann", "odd", protocol.Forbidden, protocol.Forbidden},
		{"ann", "nowhere", protocol.Forbidden, protocol.Forbidden},
		{"", "nowhere", protocol.Forbidden, protocol.Forbidden},
		// Ids that no segment can hold are percent-encoded.
		{"git:7", "inbox:git%3A7", ok, protocol.Forbidden},
		{"a*b", "inbox:a%2Ab", ok, protocol.Forbidden},
		{"a%3Ab", "inbox:a%3Ab", protocol.Forbidden, protocol.Forbidden},
		{"a%3Ab", "inbox:a%253Ab", ok, protocol.Forbidden},
		{"100%", "inbox:100%", ok, protocol.Forbidden},
		{"a+b", "inbox:a+b", ok, protocol.Forbidden},
		{"a b", "inbox:a+b", protocol.Forbidden, protocol.Forbidden},
		{"a/b", "inbox:a%2fb", ok, protocol.Forbidden},
	}
	for _, test := range tests {
		r := p.Match(test.channel)
		for a, want := range map[Action]protocol.Code{Subscribe: test.subscribe, Publish: test.publish} {
			if got := code(r.Allow(a, &Subject{User: test.user}, test.channel)); got != want {
				t.Errorf("%q may %v %q: %q, want %q", test.user, a, test.channel, got, want)
			}
		}
	}
}

func code(e *protocol.Error) protocol.Code {
	if e == nil {
		return ""
	}
	return e.Code
}

// Who tries channel names must not learn which of them belong to a block.
func TestUnknownChannelLooksForbidden(t *testing.T) {
	t.Parallel()
	p := compile(t, Room{Pattern: "inbox:{user}", Subscribe: Users, Publish: Users}, Room{Pattern: "shut"})
	for _, a := range []Action{Subscribe, Publish} {
		unknown := *p.Match("nowhere").Allow(a, &Subject{User: "ann"}, "nowhere")
		for _, channel := range []string{"inbox:bob", "shut"} {
			if got := *p.Match(channel).Allow(a, &Subject{User: "ann"}, channel); got != unknown {
				t.Errorf("%q answers %v, an unknown channel %v", channel, got, unknown)
			}
		}
	}
}

func TestUnknownActionIsForbidden(t *testing.T) {
	t.Parallel()
	r := compile(t, Room{Pattern: "a", Subscribe: Anyone, Publish: Anyone}).Match("a")
	if got := code(r.Allow(Action(99), &Subject{User: "ann"}, "a")); got != protocol.Forbidden {
		t.Errorf("an action of the future is %q", got)
	}
}

func TestAccessWords(t *testing.T) {
	t.Parallel()
	for _, a := range []Access{Server, Granted, Users, Anyone} {
		if got, err := ParseAccess(a.String()); err != nil || got != a {
			t.Errorf("%v reads back as %v, %v", a, got, err)
		}
	}
	for _, word := range []string{"", "user", "Anyone", "default", "users granted", "Access(7)"} {
		if _, err := ParseAccess(word); err == nil {
			t.Errorf("%q is accepted", word)
		}
	}
	for a, want := range map[Access]string{Anyone + 1: "Access(5)", 7: "Access(7)"} {
		if got := a.String(); got != want {
			t.Errorf("an unknown access is called %q, want %q", got, want)
		}
	}
}

func TestActionWords(t *testing.T) {
	t.Parallel()
	for a := range actionCount {
		if got, err := ParseAction(actions[a].word); err != nil || got != a {
			t.Errorf("%q is %v, %v", actions[a].word, got, err)
		}
	}
	for _, word := range []string{"", "Subscribe", "*", "subscribe to"} {
		if _, err := ParseAction(word); err == nil {
			t.Errorf("%q is accepted", word)
		}
	}
	for a, want := range map[Action]string{Change: "change the document of", actionCount: "Action(5)", 7: "Action(7)"} {
		if got := a.String(); got != want {
			t.Errorf("an action is called %q, want %q", got, want)
		}
	}
}

// A block opens an action if its rules let any client do it in channels that belong to nobody.
func TestOpens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		room Room
		want bool
	}{
		{Room{Pattern: "a", Subscribe: Server}, false},
		{Room{Pattern: "a", Subscribe: Granted}, true},
		{Room{Pattern: "a", Subscribe: Users}, true},
		{Room{Pattern: "a", Subscribe: Anyone}, true},
		{Room{Pattern: "a", Subscribe: Anyone + 1}, false},
		{Room{Pattern: "inbox:{user}", Subscribe: Users}, false},
	} {
		r := compile(t, c.room).rooms[0]
		if got := r.Opens(Subscribe); got != c.want || r.Opens(Publish) {
			t.Errorf("%s for %v: %t", c.room.Pattern, c.room.Subscribe, got)
		}
	}
	if (*Room)(nil).Opens(Subscribe) {
		t.Error("no block opens a channel")
	}
}

// What the configuration does not say follows from what it says.
func TestAccessDefaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		room Room
		want [actionCount]Access // subscribe, publish, presence, history, change
	}{
		"nothing":   {Room{}, [...]Access{Server, Server, Server, Server, Server}},
		"subscribe": {Room{Subscribe: Anyone}, [...]Access{Anyone, Server, Anyone, Anyone, Server}},
		"publish":   {Room{Publish: Users}, [...]Access{Server, Users, Server, Server, Users}},
		"closed":    {Room{Subscribe: Users, Publish: Users, PresenceAccess: Server, HistoryAccess: Server, ChangeAccess: Server}, [...]Access{Users, Users, Server, Server, Server}},
		"opened":    {Room{PresenceAccess: Anyone, HistoryAccess: Users, ChangeAccess: Granted}, [...]Access{Server, Server, Anyone, Users, Granted}},
	}
	for name, test := range tests {
		test.room.Pattern = "a"
		r := compile(t, test.room).Match("a")
		for a := range actionCount {
			if got := r.access(a); got != test.want[a] {
				t.Errorf("%s: %v is for %v, want %v", name, a, got, test.want[a])
			}
		}
	}
	// A block that was never compiled is closed.
	for a := range actionCount {
		if got := code(new(Room).Allow(a, &Subject{User: "ann"}, "a")); got != protocol.Forbidden {
			t.Errorf("%v without Compile is %q", a, got)
		}
	}
}

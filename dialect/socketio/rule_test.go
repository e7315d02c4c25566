package socketio

import (
	"strings"
	"testing"
)

func TestParseRule(t *testing.T) {
	for text, want := range map[string]Rule{
		"chat_message all":       {Event: "chat message", Do: All},
		"typing others":          {Event: "typing", Do: Others},
		"cursor others volatile": {Event: "cursor", Do: Others, Volatile: true},
		"room_message room 0":    {Event: "room message", Do: ToRoom},
		"m room 2 volatile":      {Event: "m", Do: ToRoom, Argument: 2, Volatile: true},
		"join join 0":            {Event: "join", Do: Join},
		"leave leave 1":          {Event: "leave", Do: Leave, Argument: 1},
		"message reply":          {Event: "message", Do: Reply},
		"message reply back":     {Event: "message", Do: Reply, As: "back"},
		"message-with-ack ack":   {Event: "message-with-ack", Do: Ack},
		"private_* deny":         {Event: "private *", Do: Deny},
		"* deny":                 {Event: "*", Do: Deny},
	} {
		got, err := ParseRule(words(text))
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "a", "a what", "a room", "a room x", "a room -1", "a room 10", "a join", "a all 1", "a deny volatile", "a join 0 volatile",
		"a reply b c", "a reply connect", "connect all", "a*b all", "a reply \x01", "\x01 all"} {
		if got, err := ParseRule(words(text)); err == nil {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

// words splits a line; an underscore stands for a space in a word.
func words(line string) (all []string) {
	for _, w := range strings.Fields(line) {
		all = append(all, strings.ReplaceAll(w, "_", " "))
	}
	return all
}

func TestFirstRuleCounts(t *testing.T) {
	rules := []Rule{{Event: "private a", Do: All}, {Event: "private *", Do: Deny}, {Event: "a", Do: Reply}, {Event: "*", Do: Ack}}
	for event, want := range map[string]Verb{"private a": All, "private b": Deny, "private ": Deny, "private": Ack, "a": Reply, "ab": Ack} {
		if r := firstRule(rules, event); r == nil || r.Do != want {
			t.Errorf("%s: %+v", event, r)
		}
	}
	if r := firstRule(rules[:3], "b"); r != nil {
		t.Errorf("b: %+v", r)
	}
}

func TestRoomsOfNamespaces(t *testing.T) {
	s := &Server{Prefix: "s.", Namespaces: []Namespace{{Name: "/", Rooms: true}, {Name: "/admin"}, {Name: "/a/b", Rooms: true}}}
	for _, test := range []struct{ namespace, name, room string }{
		{"/", "lobby", "s.lobby"},
		{"/", "chat:1", "s.chat:1"},
		{"/admin", "lobby", "s.admin:lobby"},
		{"/a/b", "x:y", "s.a/b:x:y"},
	} {
		room, e := s.room(test.namespace, test.name)
		if e != nil || room != test.room {
			t.Errorf("%s %s: %s, %v", test.namespace, test.name, room, e)
		}
		namespace, name, all, ok := s.places().find(room)
		if namespace != test.namespace || name != test.name || all || !ok {
			t.Errorf("%s: %s, %s, %v, %v", room, namespace, name, all, ok)
		}
	}
	for _, name := range []string{"", "admin:x", "io:/", "io:/admin", "io:x", "a/b:x", "a*", "a{user}", "x\n", " x", strings.Repeat("x", 260)} {
		if room, e := s.room("/", name); e == nil {
			t.Errorf("%q is the room %q", name, room)
		}
	}
	for room, want := range map[string]string{"s.io:/": "/", "s.io:/admin": "/admin"} {
		if namespace, _, all, ok := s.places().find(room); namespace != want || !all || !ok {
			t.Errorf("%s: %s, %v, %v", room, namespace, all, ok)
		}
	}
	for _, room := range []string{"other", "s.io:/nowhere"} {
		if _, _, _, ok := s.places().find(room); ok {
			t.Errorf("%s is a room of this server", room)
		}
	}
	if p := s.places(); !p.profiled("/") || p.profiled("/admin") || !p.profiled("/a/b") {
		t.Errorf("%q", p)
	}
	for _, name := range []string{"", "/", "admin", "/a:b", "/io", "/a\n", "/a*", "/" + strings.Repeat("x", 130)} {
		if CheckNamespace(name) == nil {
			t.Errorf("%q can be a namespace", name)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, test := range []struct {
		rule, event string
		want        bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a", "a*", false}, {"a*", "a", true}, {"a*", "ab*", true}, {"ab*", "a*", false}, {"*", "a", true}, {"*", "*", true},
	} {
		if r := (Rule{Event: test.rule}); r.Covers(test.event) != test.want {
			t.Errorf("%s and %s", test.rule, test.event)
		}
	}
}

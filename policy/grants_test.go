package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func grants(t testing.TB, list ...Grant) Grants {
	t.Helper()
	g, err := CompileGrants(list)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func allow(pattern string, words ...string) Grant { return Grant{Pattern: pattern, Allow: words} }

func TestGrantsCover(t *testing.T) {
	t.Parallel()
	g := grants(t,
		allow("chat:*", "subscribe"), allow("chat:1", "publish", "history"),
		allow("a:*:c", "presence"), allow("chat:2:*", "publish", "publish"), allow("doc", "change"),
	)
	for channel, want := range map[string][]Action{
		"chat:1":   {Subscribe, Publish, History},
		"chat:2":   {Subscribe},
		"chat:2:3": {Subscribe, Publish},
		"chat":     nil,
		"chat:":    nil,
		"a:b:c":    {Presence},
		"a:b:d:c":  nil,
		"doc":      {Change},
		"doc:1":    nil,
		"":         nil,
	} {
		var got []Action
		for a := range actionCount + 2 {
			if g.Cover(a, channel) {
				got = append(got, a)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", channel, got, want)
		}
	}
	if (Grants{}).Cover(Subscribe, "chat:1") {
		t.Error("no grants cover something")
	}
}

func TestCompileGrantsRefuses(t *testing.T) {
	t.Parallel()
	many := make([]Grant, maxGrants+1)
	for i := range many {
		many[i] = allow(fmt.Sprint("a:", i), "subscribe")
	}
	grants(t, many[1:]...)
	for name, test := range map[string]struct {
		list []Grant
		want string
	}{
		"too many":          {many, "101 grants"},
		"unknown action":    {[]Grant{allow("a", "subscribe", "delete")}, `"delete"`},
		"action in capital": {[]Grant{allow("a", "Subscribe")}, `"Subscribe"`},
		"all actions":       {[]Grant{allow("a", "*")}, `"*"`},
		"no action":         {[]Grant{allow("a")}, "no action"},
		"empty pattern":     {[]Grant{allow("", "subscribe")}, "the pattern is empty"},
		"star in a word":    {[]Grant{allow("ok", "subscribe"), allow("a*b", "subscribe")}, `"a*b"`},
		"user":              {[]Grant{allow("inbox:{user}", "subscribe")}, "can not have placeholders"},
		"claim":             {[]Grant{allow("t:{claim.team}", "subscribe")}, "can not have placeholders"},
		"other braces":      {[]Grant{allow("t:{x}", "subscribe")}, "{user}"},
	} {
		g, err := CompileGrants(test.list)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q in it", name, err, test.want)
		}
		if g.Cover(Subscribe, "ok") {
			t.Errorf("%s: a part of the grants is given", name)
		}
	}
}

func TestGranted(t *testing.T) {
	t.Parallel()
	p := compile(t,
		Room{Pattern: "granted:*", Subscribe: Granted, Publish: Granted, PresenceAccess: Users},
		Room{Pattern: "own:{user}", Subscribe: Granted},
		Room{Pattern: "users:*", Subscribe: Users, Publish: Users},
		Room{Pattern: "server:*"},
		Room{Pattern: "open:*", Subscribe: Anyone},
	)
	all := grants(t, allow("*", "subscribe", "publish", "presence", "history", "change"))
	some := grants(t, allow("granted:1", "subscribe"))
	const ok = protocol.Code("")
	for name, test := range map[string]struct {
		s       *Subject
		a       Action
		channel string
		want    protocol.Code
	}{
		"covered":                    {&Subject{User: "ann", Grants: some}, Subscribe, "granted:1", ok},
		"covered, without user":      {&Subject{Grants: some}, Subscribe, "granted:1", ok},
		"other channel":              {&Subject{User: "ann", Grants: some}, Subscribe, "granted:2", protocol.Forbidden},
		"other channel, no user":     {&Subject{Grants: some}, Subscribe, "granted:2", protocol.Forbidden},
		"other action":               {&Subject{User: "ann", Grants: some}, Publish, "granted:1", protocol.Forbidden},
		"history is an action":       {&Subject{User: "ann", Grants: some}, History, "granted:1", protocol.Forbidden},
		"history granted":            {&Subject{User: "ann", Grants: all}, History, "granted:1", ok},
		"change follows publish":     {&Subject{User: "ann", Grants: all}, Change, "granted:1", ok},
		"presence is for users":      {&Subject{User: "ann"}, Presence, "granted:1", ok},
		"a user without grants":      {&Subject{User: "ann"}, Subscribe, "granted:1", protocol.Forbidden},
		"nobody":                     {&Subject{}, Subscribe, "granted:1", protocol.Unauthorized},
		"claims are no grants":       {&Subject{Claims: map[string]string{"x": "y"}}, Subscribe, "granted:1", protocol.Forbidden},
		"own":                        {&Subject{User: "ann", Grants: all}, Subscribe, "own:ann", ok},
		"a grant is no owner":        {&Subject{User: "ann", Grants: all}, Subscribe, "own:bob", protocol.Forbidden},
		"an owner is no grant":       {&Subject{User: "ann", Grants: some}, Subscribe, "own:ann", protocol.Forbidden},
		"a grant is no user":         {&Subject{Grants: all}, Subscribe, "users:1", protocol.Unauthorized},
		"nor one that publishes":     {&Subject{Grants: all}, Publish, "users:1", protocol.Unauthorized},
		"users need no grant":        {&Subject{User: "ann", Grants: some}, Subscribe, "users:1", ok},
		"the server's stays with it": {&Subject{User: "ann", Grants: all}, Subscribe, "server:1", protocol.Forbidden},
		"without user, too":          {&Subject{Grants: all}, Publish, "server:1", protocol.Forbidden},
		"open needs no grant":        {&Subject{Grants: some}, Subscribe, "open:1", ok},
		"no block, no grant":         {&Subject{User: "ann", Grants: all}, Subscribe, "nowhere", protocol.Forbidden},
	} {
		if got := code(p.Match(test.channel).Allow(test.a, test.s, test.channel)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func BenchmarkAllow(b *testing.B) {
	p := compile(b, Room{Pattern: "chat:*", Subscribe: Granted, Publish: Users}, Room{Pattern: "t:{claim.team}", Publish: Users})
	var list []Grant
	for i := range maxGrants {
		list = append(list, allow(fmt.Sprint("chat:", i), "subscribe"))
	}
	s := &Subject{User: "ann", Claims: map[string]string{"team": "red"}, Grants: grants(b, list...)}
	for name, test := range map[string]struct {
		a       Action
		channel string
	}{
		"users":            {Publish, "chat:1"},
		"claim":            {Publish, "t:red"},
		"100-grants-last":  {Subscribe, "chat:99"},
		"100-grants-first": {Subscribe, "chat:0"},
	} {
		r := p.Match(test.channel)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if e := r.Allow(test.a, s, test.channel); e != nil {
					b.Fatal(e)
				}
			}
		})
	}
}

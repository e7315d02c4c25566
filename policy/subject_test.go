package policy

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestClaims(t *testing.T) {
	t.Parallel()
	p := compile(t,
		Room{Pattern: "team:{claim.team}:*", Subscribe: Anyone, Publish: Users},
		Room{Pattern: "both:{user}:{claim.org.id}", Subscribe: Users},
	)
	const ok = protocol.Code("")
	with := func(user string, claims ...string) *Subject {
		s := &Subject{User: user, Claims: make(map[string]string)}
		for i := 0; i < len(claims); i += 2 {
			s.Claims[claims[i]] = claims[i+1]
		}
		return s
	}
	for name, test := range map[string]struct {
		s                  *Subject
		channel            string
		subscribe, publish protocol.Code
	}{
		"own":                  {with("ann", "team", "red"), "team:red:1", ok, ok},
		"other":                {with("ann", "team", "red"), "team:blue:1", protocol.Forbidden, protocol.Forbidden},
		"absent":               {with("ann", "role", "red"), "team:red:1", protocol.Forbidden, protocol.Forbidden},
		"no claims":            {&Subject{User: "ann"}, "team:red:1", protocol.Forbidden, protocol.Forbidden},
		"empty":                {with("ann", "team", ""), "team:red:1", protocol.Forbidden, protocol.Forbidden},
		"user is no claim":     {with("red", "role", "x"), "team:red:1", protocol.Forbidden, protocol.Forbidden},
		"nobody":               {&Subject{}, "team:red:1", protocol.Unauthorized, protocol.Unauthorized},
		"without user":         {with("", "team", "red"), "team:red:1", ok, protocol.Unauthorized},
		"of another, no user":  {with("", "team", "red"), "team:blue:1", protocol.Forbidden, protocol.Unauthorized},
		"case counts":          {with("ann", "team", "Red"), "team:red:1", protocol.Forbidden, protocol.Forbidden},
		"percent-encoded":      {with("ann", "team", "a:b"), "team:a%3Ab:1", ok, ok},
		"encoded once only":    {with("ann", "team", "a%3Ab"), "team:a%3Ab:1", protocol.Forbidden, protocol.Forbidden},
		"user and claim":       {with("ann", "org.id", "7"), "both:ann:7", ok, protocol.Forbidden},
		"user, not claim":      {with("ann", "org.id", "7"), "both:ann:8", protocol.Forbidden, protocol.Forbidden},
		"claim, not user":      {with("bob", "org.id", "7"), "both:ann:7", protocol.Forbidden, protocol.Forbidden},
		"claim without a user": {with("", "org.id", "7"), "both:ann:7", protocol.Unauthorized, protocol.Forbidden},
	} {
		r := p.Match(test.channel)
		for a, want := range map[Action]protocol.Code{Subscribe: test.subscribe, Publish: test.publish} {
			if got := code(r.Allow(a, test.s, test.channel)); got != want {
				t.Errorf("%s: %v %q is %q, want %q", name, a, test.channel, got, want)
			}
		}
	}
}

package session

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A signature of the app stands for a user or a grant. It never opens what is left to the server, and
// never a room of one user.
func TestPass(t *testing.T) {
	u := newRules(Config{Policy: blocks(t,
		policy.Room{Pattern: "granted", Subscribe: policy.Granted, Publish: policy.Granted},
		policy.Room{Pattern: "users", Subscribe: policy.Users, Publish: policy.Users},
		policy.Room{Pattern: "server", Subscribe: policy.Server, Publish: policy.Server},
		policy.Room{Pattern: "read", Subscribe: policy.Granted, Publish: policy.Server, HistoryAccess: policy.Server},
		policy.Room{Pattern: "of:{user}", Subscribe: policy.Users, Publish: policy.Users},
	)})
	for _, c := range []struct {
		channel string
		pass    *Pass
		may     []policy.Action
	}{
		{"granted", nil, nil},
		{"granted", &Pass{}, []policy.Action{policy.Subscribe, policy.Presence}},
		{"granted", &Pass{Publish: true, History: true}, []policy.Action{policy.Subscribe, policy.Presence, policy.Publish, policy.History}},
		{"users", &Pass{Publish: true}, []policy.Action{policy.Subscribe, policy.Presence, policy.Publish}},
		{"server", &Pass{Publish: true, History: true}, nil},
		{"read", &Pass{Publish: true, History: true}, []policy.Action{policy.Subscribe, policy.Presence}},
		{"of:ann", &Pass{Publish: true, History: true}, nil},
		{"unknown", &Pass{Publish: true, History: true}, nil},
	} {
		for _, a := range []policy.Action{policy.Subscribe, policy.Presence, policy.Publish, policy.History, policy.Change} {
			want := false
			for _, may := range c.may {
				want = want || may == a
			}
			e := u.may(Caller{Principal: new(Principal), pass: c.pass}, a, c.channel)
			if (e == nil) != want {
				t.Errorf("%v in %s with %+v: %v", a, c.channel, c.pass, e)
			}
			if e != nil && e.Code != protocol.Forbidden && e.Code != protocol.Unauthorized && e.Code != protocol.InvalidChannel {
				t.Errorf("%v in %s: %v", a, c.channel, e)
			}
		}
	}
}

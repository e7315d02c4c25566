package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestRulesThatTakeEventsFromRooms(t *testing.T) {
	for text, want := range map[string][]string{
		"rooms\n on message all":                              {"on message all"},
		"on message all":                                      nil,
		"rooms\n on mess* deny":                               {"on mess* deny"},
		"rooms\n on message deny\n on x all":                  nil,
		"rooms\n namespace /a {\n on * all\n }":               nil,
		"rooms\n namespace /a {\n rooms\n on join join 0\n }": {"on join join"},
	} {
		d := caddyfile.NewTestDispenser("socketio {\n" + text + "\n}")
		d.Next()
		c, err := ParseSocketIO(d, nil, func(string) error { return nil })
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := c.TakenFromRooms(); !slices.Equal(got, want) {
			t.Errorf("%s: %q", text, got)
		}
	}
}

// What the Caddyfile checks at the line of an option, JSON must not have either.
func TestCompileChecksWhatTheCaddyfileChecks(t *testing.T) {
	for want, c := range map[string]SocketIO{
		"has a space":       {Prefix: "a b"},
		"more than 10 min":  {ConnectTimeout: 1 << 62},
		"is there twice":    {Namespaces: []*SocketIONamespace{{Name: "/a"}, {Name: "/a"}}},
		"ends with a slash": {Namespaces: []*SocketIONamespace{{Name: "/a/"}}},
		"is never reached":  {Root: SocketIONamespace{On: []SocketIORule{{Event: "x", Do: "all"}, {Event: "x", Do: "others"}}}},
		"name of a cookie":  {Cookie: "a b"},
		"recovery":          {Recovery: 1},
	} {
		if _, err := c.Compile(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

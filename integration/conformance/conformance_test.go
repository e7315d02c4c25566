package conformance

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

const (
	secret = "0123456789abcdef0123456789abcdef"
	key    = "k3y-0123456789abcdef"
)

// site has a room of each kind.
const site = `
http://{{site}} {
	realtime /realtime {
		compression
		token {
			hmac {env.REALTIME_TEST_SECRET}
		}
		api_key {env.REALTIME_TEST_KEY}
		handle_call {
			header Content-Type application/json
			respond "3"
		}
		room plain:* {
			subscribe anyone
			publish anyone
		}
		room history:* {
			subscribe anyone
			publish anyone
			history 50 1h
		}
		room presence:* {
			subscribe anyone
			publish anyone
			presence
		}
		room document:* {
			subscribe anyone
			publish anyone
			document
		}
		room limited:* {
			subscribe anyone
			publish anyone
			rate 5/s 2
		}
		room pattern:* {
			subscribe anyone
			subscribe_pattern anyone
			publish anyone
		}
	}
}
`

// start starts a Caddy, and returns it as a target with everything that a check may need.
func start(t *testing.T) Target {
	t.Helper()
	t.Setenv("REALTIME_TEST_SECRET", secret)
	t.Setenv("REALTIME_TEST_KEY", key)
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256,
		jwt.MapClaims{"sub": "ann", "exp": time.Now().Add(time.Hour).Unix()}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return Target{
		URL: "ws://" + integration.Start(t, site).Addr("site") + "/realtime", Token: token, Key: key, Method: "anything",
		Rooms: map[Room]string{Plain: "plain:*", History: "history:*", Presence: "presence:*", Document: "document:*",
			Pattern: "pattern:*", Limited: "limited:*", Closed: "closed:*"},
	}
}

// TestConformance holds this server to the page.
func TestConformance(t *testing.T) {
	_, err := Run(start(t), Checks(), func(r Result) {
		if r.Failed != "" || r.Skipped != "" {
			t.Errorf("%s: %s: %s%s", r.Section, r.Name, r.Failed, r.Skipped)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

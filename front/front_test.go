package front

import (
	"log/slog"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/config"
)

// TestFind finds the requests of each protocol, and leaves those of the site to the site.
func TestFind(t *testing.T) {
	t.Parallel()
	pushers, err := NewPushers([]*config.Pusher{pusherConfig("1", "key-1", ""), pusherConfig("2", "key-2", "/chat")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	socketIO, err := NewSocketIO(new(config.SocketIO))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		front   Front
		target  string
		upgrade bool
		found   bool
	}{
		{pushers, "/app/key-1?protocol=7", true, true},
		{pushers, "/app/key-1", false, false}, // a page of the site
		{pushers, "/app/other?protocol=7", true, true},
		{pushers, "/app/other", true, false}, // a WebSocket of the site
		{pushers, "/chat/app/key-2?protocol=7", true, true},
		{pushers, "/apps/1/events", false, true},
		{pushers, "/apps/1", false, false},
		{pushers, "/apps/2/events", false, false}, // that app has another path
		{pushers, "/chat/apps/2/events", false, true},
		{pushers, "/users", false, false},
		{Pushers(nil), "/app/key-1?protocol=7", true, false},
		{socketIO, "/socket.io/?EIO=4", false, true},
		{socketIO, "/socket.io?EIO=4", false, true},
		{socketIO, "/socket.io/socket.io.js", false, false},
		{socketIO, "/socket.iox", false, false},
	} {
		r := httptest.NewRequest("GET", c.target, nil)
		if c.upgrade {
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "websocket")
		}
		u, err := url.Parse(c.target)
		if err != nil {
			t.Fatal(err)
		}
		if found := c.front.Find(r, u) != nil; found != c.found {
			t.Errorf("%s (upgrade %v): found %v", c.target, c.upgrade, found)
		}
	}
}

func pusherConfig(app, key, path string) *config.Pusher {
	return &config.Pusher{App: app, Path: path, Keys: []config.PusherKey{{Key: key, Secret: "secret"}}}
}

// A request of the site costs nothing: neither its query is parsed nor its path is escaped. Each request of the site is
// looked at.
func TestFindIsCheapForTheSite(t *testing.T) {
	pushers, err := NewPushers([]*config.Pusher{pusherConfig("1", "key-1", ""), pusherConfig("2", "key-2", "/chat")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, upgrade := range []bool{false, true} {
		r := httptest.NewRequest("GET", "/a%20page?protocol=7&a=1&b=2&c=3", nil)
		if upgrade {
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "websocket")
		}
		if n := testing.AllocsPerRun(100, func() { pushers.Find(r, r.URL) }); n > 0 {
			t.Errorf("upgrade %v: %v allocations", upgrade, n)
		}
	}
}

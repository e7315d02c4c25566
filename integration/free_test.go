package integration

import (
	"runtime"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// TestReloadFreesTheOldConfiguration holds connections that can be handed over
// through a reload. If one of them kept the request it came with, it would keep the
// server, and with it everything the old configuration consisted of.
func TestReloadFreesTheOldConfiguration(t *testing.T) {
	const site = `
		http://{{site}} {
			log
			realtime {
				room news {
					subscribe anyone
				}
			}
		}
	`
	c := Start(t, site)
	ws := dial(t, "ws://"+c.Addr("site")+"/realtime")
	lines := stream(t, "http://"+c.Addr("site")+"/realtime?channel=news")
	expectLine(t, lines, "subscribed")
	freed := watchServers(t)
	c.Reload(site)
	end := time.After(20 * time.Second)
	for {
		runtime.GC()
		select {
		case <-freed:
			send(t, ws, `{"type":"ping","id":1}`)
			expect(t, ws, "pong")
			return
		case <-end:
			t.Fatal("the server of the old configuration is still in memory")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// watchServers reports when the server of the active configuration is freed.
func watchServers(t *testing.T) <-chan struct{} {
	t.Helper()
	app, err := caddy.ActiveContext().App("http")
	if err != nil {
		t.Fatal(err)
	}
	freed := make(chan struct{})
	for _, srv := range app.(*caddyhttp.App).Servers {
		runtime.AddCleanup(srv, func(c chan struct{}) { close(c) }, freed)
	}
	return freed
}

package integration

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

const recoverSite = `
http://{{site}} {
	realtime /rt {
		HUB
		pusher app-on {
			key    key-on
			secret {env.REALTIME_TEST_PUSHER}
			recover
		}
		room presence-* {
			history 10000 1m
		}
		room private-* {
			history 10000 1m
		}
		room news {
			subscribe anyone
			history 10000 1m
		}
	}
}
http://{{off}} {
	realtime /rt {
		hub off
		pusher app-off {
			key    key-off
			secret {env.REALTIME_TEST_PUSHER}
		}
		room presence-* {
			history 100 1m
		}
	}
}
`

// Users whose connections are lost get what they missed with the next ones, and nobody else does.
func TestPusherRecover(t *testing.T) {
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	for name, option := range map[string]string{"memory": "", "disk": "store " + t.TempDir(), "redis": "redis " + redistest.Start(t).Addr} {
		t.Run(name, func(t *testing.T) {
			c := Start(t, strings.Replace(recoverSite, "HUB", option, 1))
			playNode(t, script(t, "recover.mjs"), []string{"SITE=" + c.Addr("site"), "OFF=" + c.Addr("off")}, nil)
		})
	}
}

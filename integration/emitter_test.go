package integration

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// emitterSite are two nodes in one process: hubs that share their prefix in Redis.
const emitterSite = `
{
	realtime two {
		redis {{redis}} {
			prefix rt:
		}
		{{rooms}}
	}
	realtime {
		redis {{redis}}
		{{rooms}}
	}
}
http://{{site}} {
	realtime /rt {
		{{clients}}
	}
}
http://{{other}} {
	realtime /rt {
		hub two
		{{clients}}
	}
}
`

const emitterRooms = `
		room io:* {
			subscribe anyone
		}
		room open:* {
			subscribe anyone
		}
		room kept:* {
			subscribe anyone
			history 10
		}
`

const emitterClients = `
		socketio {
			rooms
			namespace /admin
			emitter
		}
`

// TestSocketIOEmitter drives the emitter of Socket.IO. Each client gets each event once, at whichever node
// it is, and in order.
func TestSocketIOEmitter(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	c := Start(t, strings.NewReplacer("{{redis}}", redis.Addr, "{{rooms}}", emitterRooms, "{{clients}}", emitterClients).Replace(emitterSite))
	env := []string{"SITE=" + c.Addr("site"), "OTHER=" + c.Addr("other"), "REDIS=" + redis.Addr, "CLIENT=socket.io-client", "TRANSPORTS=websocket"}
	playNode(t, script(t, "socketio_helpers.mjs", "emitter_node.mjs"), env, nil)
	c.WaitLog("it is a pickle")
}

// TestSocketIOEmitterAlone has what an emitter says of clients keep its place among what it publishes, at a
// single node.
func TestSocketIOEmitterAlone(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	c := Start(t, "http://{{site}} {\n\trealtime /rt {\n\t\tredis "+redis.Addr+"\n"+emitterRooms+emitterClients+"\t}\n}\n")
	env := []string{"SITE=" + c.Addr("site"), "REDIS=" + redis.Addr, "CLIENT=socket.io-client", "TRANSPORTS=websocket"}
	playNode(t, script(t, "socketio_helpers.mjs", "emitter_alone_node.mjs"), env, nil)
}

// Without Redis the option is an error, which names its line.
func TestSocketIOEmitterNeedsRedis(t *testing.T) {
	t.Parallel()
	c := Start(t, "http://{{site}} {\n}\n")
	for block, want := range map[string]string{
		"":                                    "needs the option 'redis'",
		"redis localhost:1 {\n\tcluster\n}\n": "'redis' without 'cluster'",
	} {
		err := c.Load("http://{{site}} {\n\trealtime {\n\t\tsocketio {\n\t\t\temitter\n\t\t}\n" + block + "\t}\n}\n")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "option 'emitter'") || !strings.Contains(err.Error(), ":4") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

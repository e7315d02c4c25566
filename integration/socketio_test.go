package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

const socketIOSite = `
http://{{site}} {
	realtime /rt {
		api_key key-of-the-app-0123456789
		token {
			hmac "a secret of 32 bytes, at the least"
		}
		room io:/users {
			subscribe users
		}
		room io:* {
			subscribe anyone
			publish anyone
		}
		room open:* {
			subscribe anyone
			publish anyone
		}
		room members:* {
			subscribe users
		}
		room kept:* {
			subscribe anyone
			publish anyone
			presence
			history 10
		}
		socketio {
			rooms
			on "chat message" all
			on "typing" others
			on "picture" others
			on "room message" room 0
			on "enter" join 0
			on "with ack" ack
			on "private *" deny
			on_connect emit auth {auth}
			ping 25s 20s
			namespace /admin {
				on "*" ack
			}
			namespace /users
		}
		handle_call {
			header Content-Type application/json
			respond ` + "`{\"n\":42}`" + `
		}
	}
	respond /socket.io/socket.io.js "of the site"
}
`

type socketIOClient struct{ name, client, transports string }

// The transports by which socket.io-client is driven.
var socketIOClients = []socketIOClient{
	{"4/polling", "socket.io-client", "polling"},
	{"3/polling", "socket.io-client-3", "polling"},
	{"4/websocket", "socket.io-client", "websocket"},
	{"4/upgrade", "socket.io-client", "polling,websocket"},
	{"3/websocket", "socket.io-client-3", "websocket"},
}

// TestSocketIOClients drives socket.io-client 4 and 3 by each transport.
func TestSocketIOClients(t *testing.T) {
	for _, test := range socketIOClients {
		t.Run(test.name, func(t *testing.T) {
			c := Start(t, socketIOSite)
			env := []string{"SITE=" + c.Addr("site"), "CLIENT=" + test.client, "TRANSPORTS=" + test.transports}
			reloads := 0
			playNode(t, script(t, "socketio_helpers.mjs", "socketio_node.mjs"), env, map[string]func(){"reload": func() {
				if test.transports == "polling" {
					waitForAllPolls(t, c.Addr("site"))
				}
				reloads++
				c.Reload(strings.Replace(socketIOSite, "of the site", fmt.Sprint("of reload ", reloads), 1))
			}})
			if _, text := request(t, "GET", "http://"+c.Addr("site")+"/socket.io/socket.io.js", ""); text != "of reload 6" {
				t.Errorf("a path of the site: %s", text)
			}
		})
	}
}

// TestSocketIOAfterACrash kills the process under clients, which come back by themselves.
func TestSocketIOAfterACrash(t *testing.T) {
	p := StartProcess(t, socketIOSite)
	for _, test := range socketIOClients {
		env := []string{"SITE=" + p.Addr("site"), "CLIENT=" + test.client, "TRANSPORTS=" + test.transports}
		playNode(t, script(t, "socketio_helpers.mjs", "socketio_back.mjs"), env, map[string]func(){"crash": func() {
			p.Kill()
			p.Start()
		}})
	}
}

const socketIORecovers = `
{
	admin {{admin}}
}
http://{{site}} {
	realtime /rt {
		HUB
		api_key key-of-the-app-0123456789
		token {
			hmac "a secret of 32 bytes, at the least"
		}
		room io:* {
			subscribe anyone
			history 100 1m
		}
		room kept:* {
			subscribe anyone
			publish anyone
			history 20 1m
		}
		room admin:kept:* {
			subscribe anyone
			history 20 1m
		}
		socketio {
			rooms
			recovery 2m
			on "enter" join 0
			namespace /admin {
				rooms
			}
		}
	}
	respond "here"
}
`

// Clients whose connections are lost go on where they were.
func TestSocketIORecovery(t *testing.T) {
	for name, test := range map[string]struct{ hub, kept, transports string }{
		"memory": {"", "no", "polling,websocket"},
		"disk":   {"store " + t.TempDir(), "yes", "websocket"},
		"redis":  {"redis " + redistest.Start(t).Addr, "yes", "websocket"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits, for clients that reconnect
			p := StartProcess(t, strings.Replace(socketIORecovers, "HUB", test.hub, 1))
			env := []string{"SITE=" + p.Addr("site"), "CLIENT=socket.io-client", "TRANSPORTS=" + test.transports, "KEPT=" + test.kept}
			playNode(t, script(t, "socketio_helpers.mjs", "socketio_recover.mjs"), env, map[string]func(){
				"reload": func() { p.Reload(strings.Replace(socketIORecovers, "HUB", test.hub, 1) + "\n") },
				"crash": func() {
					p.Kill()
					p.Start()
				},
			})
		})
	}
}

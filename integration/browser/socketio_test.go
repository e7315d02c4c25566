package browser

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// clientPackages is where the libraries of others are. Without them the test is skipped.
func clientPackages(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../client/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "socket.io-client")); err != nil {
		t.Skip("the packages of the client are not installed: run 'make client'")
	}
	return dir
}

const socketIOSite = `
http://{{site}} {
	realtime /rt {
		api_key key-of-the-app-0123456789
		room io:* {
			subscribe anyone
			publish anyone
		}
		socketio {
			on "chat message" all
			on "with ack" ack
		}
	}
	handle_path /packages/* {
		root * {{packages}}
		file_server
	}
	handle /page {
		header Content-Type text/html
		respond "<!doctype html><script src=/packages/socket.io-client/dist/socket.io.min.js></script>"
	}
}
`

// A page with socket.io-client, which is not ours, chats by each way that there is: polls, a WebSocket, and the change
// from one to the other. It gets binary data back, and stays over a reload.
func TestSocketIO(t *testing.T) {
	site := strings.ReplaceAll(socketIOSite, "{{packages}}", clientPackages(t))
	s := integration.Start(t, site)
	browser, base := Start(t), "http://"+s.Addr("site")
	for transports, want := range map[string]string{`"polling"`: "polling", `"websocket"`: "websocket", `"polling","websocket"`: "websocket"} {
		t.Run(transports, func(t *testing.T) {
			tab := browser.Open(transports, base+"/page")
			tab.Run(`
				socket = io({ transports: [%s] });
				socket.on("chat message", (...args) => tell(JSON.stringify({ Kind: "heard", Value: args })));
				socket.on("disconnect", (reason) => tell(JSON.stringify({ Kind: "disconnected", Value: reason })));
				const changed = () => socket.io.engine.transport.name === "%s" && tell(JSON.stringify({ Kind: "transport" }));
				socket.on("connect", () => { socket.io.engine.on("upgrade", changed); changed(); });`, transports, want)
			Await[any](tab, "transport")
			tab.Run(`socket.emit("chat message", "hello", { b: 1, a: [null, "\u{1f600}"] })`)
			if got := Expect[raw](tab, "heard"); got != `["hello",{"b":1,"a":[null,"😀"]}]` {
				t.Error(got)
			}
			// The next poll is sent before the request for the page: a reload must not meet it on its way.
			got := Eval[string](tab, `socket.emitWithAck("with ack", new Uint8Array([0, 127, 255])).then((v) => fetch("/page").then(() => new Uint8Array(v).join()))`)
			if got != "0,127,255" {
				t.Error("binary data:", got)
			}
			s.Reload(site + "\n# " + transports)
			publishToAll(t, base, "after the reload")
			if got := Expect[raw](tab, "heard"); got != `["after the reload"]` {
				t.Error(got)
			}
			tab.Close()
		})
	}
}

// publishToAll lets the app publish to all clients.
func publishToAll(t *testing.T, base, text string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"event": "chat message", "content": text})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/rt/channels/io:%2F/messages", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer key-of-the-app-0123456789")
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Error(res.Status)
	}
}

// What two visitors of the example see. Its page has the calls of the tutorial of Socket.IO.
func TestExampleSocketIO(t *testing.T) {
	t.Setenv("PACKAGES", clientPackages(t))
	s := integration.Start(t, example(t, "socketio"))
	browser, url := Start(t), "http://"+s.Addr("site")+"/"
	ann, bob := browser.Open("ann", url), browser.Open("bob", url)
	for _, tab := range []*Tab{ann, bob} {
		Eval[any](tab, `new Promise((done) => socket.connected ? done(null) : socket.once("connect", () => done(null)))`)
	}
	ann.Run(`document.querySelector('#input').value = 'Good morning!'; document.querySelector('#form').requestSubmit()`)
	ann.shows("#messages", "Good morning!")
	bob.shows("#messages", "Good morning!")
	bob.Run(`document.querySelector('#input').dispatchEvent(new Event('input'))`)
	ann.shows("#note", "Somebody is typing")
}

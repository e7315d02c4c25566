package engines

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const site = `
http://{{site}} {
	root {{pages}}
	file_server
	realtime /rt {
		heartbeat 5s 5s
		store {{store}}
		user {http.request.cookie.user}
		room hall:* {
			subscribe users
			publish users
			history 100
			presence
		}
		room board:* {
			subscribe users
			publish users
			document
		}
	}
}
`

// The ways in which a page connects, with the options of its client.
var ways = []struct{ name, options, transport string }{
	{"websocket", `{ transport: 'websocket' }`, "websocket"},
	{"stream", `{ transport: 'sse' }`, "sse"},
	{"shared", `shared({ group: 'ann' })`, "websocket"},
}

// Two tabs of a browser exchange messages, a document and their presence, are loaded again, and go on where they were
// after a kill of the server, in each way to connect.
func TestClient(t *testing.T) {
	if os.Getenv("REALTIME_BROWSERS") == "" {
		t.Skip("REALTIME_BROWSERS is not set; make browsers sets it")
	}
	for _, engine := range starts {
		t.Run(engine.name, func(t *testing.T) {
			browser := engine.start(t)
			for _, way := range ways {
				t.Run(way.name, func(t *testing.T) { visit(t, browser, way.options, way.transport) })
			}
		})
	}
}

func visit(t *testing.T, browser engine, options, transport string) {
	pages, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("{{pages}}", pages, "{{store}}", t.TempDir()).Replace(site)
	server := integration.StartProcess(t, text)
	url := "http://" + server.Addr("site") + "/client.html"
	first, second := browser.open(t, url), browser.open(t, url)
	tabs := map[string]page{"first": first, "second": second}
	is := func(what, want string) {
		t.Helper()
		for name, tab := range tabs {
			if got := tab.eval(fmt.Sprintf("return comes(() => %s, %q)", what, want)); got != want {
				t.Fatalf("%s: %s is %q instead of %q", name, what, got, want)
			}
		}
	}
	begin := "await loaded; document.cookie = 'user=ann'; start(" + options + ")"
	here := func() {
		t.Helper()
		is("[client.state, client.transport, hall.state, board.status].join()", "open,"+transport+",subscribed,synced")
		is("[...hall.presence.members.keys()].join()", "ann")
	}
	first.eval(begin)
	second.eval(begin)
	here()
	if a, b := first.eval("return client.connection"), second.eval("return client.connection"); (a == b) != strings.HasPrefix(options, "shared") {
		t.Errorf("the tabs have the connections %s and %s", a, b)
	}

	first.eval("await hall.publish('one'); await hall.presence.update({ status: 'busy' }); await board.update({ by: 'first' })")
	is("heard.join()", "one")
	is("hall.presence.members.get('ann').status", "busy")
	is("board.value.by", "first")

	second.reload()
	second.eval(begin)
	here()
	is("heard.join()", "one") // the history

	server.Kill()
	is("client.state", "reconnecting")
	second.eval("void hall.publish('two')") // waits for the server
	server.Start()
	here()
	is("heard.join()", "one,two")

	first.close()
	delete(tabs, "first")
	second.eval("await hall.publish('three')")
	is("heard.join()", "one,two,three")
	second.eval("client.close()")
}

package browser

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const oneConnection = global + `
http://{{site}} {
	root {{pages}}
	file_server
	realtime /rt {
		heartbeat 5s 5s
		api_key app-key
		user {http.request.cookie.user}
		room hall:* {
			subscribe users
			publish users
			history 100
			presence {
				grace off
			}
		}
		room board:* {
			subscribe users
			publish users
			document
		}
	}
}
`

// connections waits until the app sees so many connections.
func (p *Tab) connections(n int) {
	p.t.Helper()
	p.Run(`(async () => {
		const headers = { authorization: 'Bearer app-key' };
		while ((await (await fetch('/rt/stats', { headers })).json()).gauges.connections !== %d)
			await new Promise((then) => setTimeout(then, 50));
	})()`, n)
}

// Two tabs of a browser have one connection. The second one gets the history, the members and the document like a
// connection of its own, and goes on when the first one is closed.
func TestSharedConnection(t *testing.T) {
	s := integration.Start(t, caddyfile(t, oneConnection))
	base := "http://" + s.Addr("site")
	browser := Start(t)
	home := browser.Open("home", base+"/shared.html") // the tabs end with the one that they share with
	home.Run(`document.cookie = 'user=ann'`)
	first := home.beside("first", base+"/shared.html")
	first.Run(`start('ann')`)
	first.comesTo(`client.state + hall.state + board.status`, "opensubscribedsynced")
	first.Run(`hall.publish(1); board.update({ by: 'first' })`)
	Expect[int](first, "message")

	second := home.beside("second", base+"/shared.html")
	second.Run(`start('ann')`)
	if n := Expect[int](second, "message"); n != 1 {
		t.Errorf("the history is %d", n)
	}
	second.comesTo(`members() + JSON.stringify(board.value)`, `ann online{"by":"first"}`)
	if a, b := Eval[string](first, `client.connection`), Eval[string](second, `client.connection`); a != b {
		t.Errorf("the tabs have the connections %s and %s", a, b)
	}
	second.connections(1)

	second.Run(`hall.publish(2); board.update({ by: 'second' })`)
	for _, tab := range []*Tab{first, second} {
		if n := Expect[int](tab, "message"); n != 2 {
			t.Errorf("the message is %d", n)
		}
		tab.comesTo(`JSON.stringify(board.value)`, `{"by":"second"}`)
	}
	first.Run(`hall.presence.update({ status: 'away' })`)
	first.Run(`hall.publish(3)`)
	Expect[int](second, "message")
	second.comesTo(`members()`, "ann online")
	second.Run(`hall.presence.update({ status: 'away' })`)
	second.comesTo(`members()`, "ann away")

	first.Close()
	second.Run(`hall.publish(4)`)
	if n := Expect[int](second, "message"); n != 4 {
		t.Errorf("the message is %d", n)
	}
	second.Do(chromedp.Reload())
	second.Run(`start('ann')`)
	for n := 1; n <= 4; n++ {
		if got := Expect[int](second, "message"); got != n {
			t.Errorf("message %d of the history is %d", n, got)
		}
	}
	second.connections(1)

	// Without a worker a tab has a connection of its own.
	for i, options := range []string{`{ worker: '/missing.js' }`, `{}`} {
		tab := browser.Open("own", base+"/shared.html")
		if i == 1 {
			tab.Run(`delete window.SharedWorker`) // as in Chrome on Android
		}
		tab.Run(`document.cookie = 'user=ann'; start('ann', %s)`, options)
		tab.comesTo(`client.state + hall.state`, "opensubscribed")
		tab.connections(2 + i)
	}
}

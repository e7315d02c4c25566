package browser

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// Two tabs that share a connection, on a day of their user: one is loaded again, the server is killed and starts again,
// the network goes and returns, and one is closed. After each of these all tabs share one connection, and what one says
// arrives once in each.
func TestSharedConnectionOfADay(t *testing.T) {
	p := integration.StartProcess(t, caddyfile(t, oneConnection))
	line := newLine(t, p.Addr("site"))
	url := "http://" + line.addr + "/shared.html"
	const begin = `start('ann', { timeout: 2000 })` // so long a silent network is not noticed
	first := Start(t).Open("first", url)
	first.Run(`document.cookie = 'user=ann'`)
	first.Run(begin)
	first.comesTo(`client.state + hall.state`, "opensubscribed")
	second := first.beside("second", url)
	second.Run(begin)
	tabs := []*Tab{first, second}
	said := 0
	together := func(after string) {
		t.Helper()
		for _, tab := range tabs {
			// If a server starts just between the two attempts of a tab, the tab returns by a stream, and changes later.
			tab.comesTo(`client.transport + client.state + hall.state + board.status`, "websocketopensubscribedsynced")
			tab.comesTo(`members()`, "ann online")
		}
		if a, b := Eval[string](first, `client.connection`), Eval[string](tabs[len(tabs)-1], `client.connection`); a != b {
			t.Errorf("%s: the tabs have the connections %s and %s", after, a, b)
		}
		for _, tab := range tabs {
			said++
			tab.Run(`hall.publish(%d)`, said)
			tab.Run(`board.update({ said: %d })`, said)
			for _, other := range tabs {
				if n := Await[int](other, "message"); n != said {
					t.Errorf("%s: %s hears %d instead of %d", after, other.name, n, said)
				}
				other.comesTo(`board.value.said+''`, Eval[string](tab, `board.value.said+''`))
			}
		}
		first.connections(1)
	}
	together("start")

	second.Do(chromedp.Reload())
	second.Run(begin)
	for n := 1; n <= said; n++ { // the history
		if got := Await[int](second, "message"); got != n {
			t.Errorf("message %d of the history is %d", n, got)
		}
	}
	together("the second is loaded again")

	p.Kill()
	for _, tab := range tabs {
		tab.comesTo(`client.state`, "reconnecting")
	}
	p.Start()
	for _, tab := range tabs {
		Await[any](tab, "gap")
	}
	together("the server has started again")

	line.silence()
	for _, tab := range tabs {
		tab.offline(true)
	}
	for _, tab := range tabs {
		tab.comesTo(`client.state`, "reconnecting")
	}
	said++
	second.Run(`void hall.publish(%d)`, said) // waits for the network
	line.mend()
	for _, tab := range tabs {
		tab.offline(false)
	}
	for _, tab := range tabs {
		if n := Await[int](tab, "message"); n != said {
			t.Errorf("%s hears %d after the outage instead of %d", tab.name, n, said)
		}
	}
	together("the network has returned")

	second.Close()
	tabs = tabs[:1]
	together("the second is closed")
}

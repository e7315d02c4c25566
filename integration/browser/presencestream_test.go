package browser

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// streamedDesk is a room whose members may be anonymous. A member leaves at once.
const streamedDesk = global + `
http://{{site}} {
	root {{pages}}
	file_server
	realtime /rt {
		heartbeat 5s 5s
		user {http.request.cookie.user}
		room desk:* {
			subscribe anyone
			presence {
				grace off
			}
		}
		room news:* {
			subscribe anyone
		}
	}
}
`

// atDesk connects a page and subscribes to the room. The page then has functions that show the members, and hide the
// page as a browser does with a tab in the background.
const atDesk = `(async () => {
	client = start(%s);
	desk = client.subscribe('desk:x', { info: { name: '%[2]s' } });
	members = () => [...desk.presence.members.values()].map(({ info, status }) => info.name + ' ' + status).sort().join(', ');
	left = [];
	desk.presence.on('leave', ({ info }) => left.push(info.name));
	turn = (to) => {
		Object.defineProperty(document, 'visibilityState', { configurable: true, value: to });
		document.dispatchEvent(new Event('visibilitychange'));
	};
	const { autoAway } = await import('/rt/away.js');
	autoAway(desk.presence, { hidden: 50 });
	await desk.ready();
})()`

// Pages without a WebSocket are members like all others: one whose proxy blocks upgrades, one whose client has the
// option, and one whose browser has no WebSocket. They see each other, what each one shows, and who goes. One of them
// has a user, and two are anonymous.
func TestPresenceOverEventStreams(t *testing.T) {
	s := integration.Start(t, caddyfile(t, streamedDesk+middlebox))
	browser := Start(t)
	ann := browser.Open("ann", "http://"+s.Addr("proxy")+"/client.html")
	bob := browser.Open("bob", "http://"+s.Addr("site")+"/client.html")
	carl := browser.Open("carl", "about:blank")
	carl.Do(onNewPage(`delete globalThis.WebSocket`), chromedp.Navigate("http://"+s.Addr("site")+"/client.html"))
	carl.Run(`document.cookie = 'user=carl'`)
	all := []*Tab{ann, bob, carl}
	for tab, options := range map[*Tab]string{ann: "", bob: `{ transport: 'sse' }`, carl: ""} {
		tab.Run(atDesk, options, tab.name)
		tab.comesTo(`client.state + ' by ' + client.transport`, "open by sse")
	}
	everybodySees := func(members string) {
		t.Helper()
		for _, tab := range all {
			tab.comesTo(`members()`, members)
		}
	}
	everybodySees("ann online, bob online, carl online")

	for _, tab := range []*Tab{bob, carl} { // an anonymous member, and a user
		tab.Run(`desk.presence.update({ status: 'busy', info: { name: '%s at lunch' } })`, tab.name)
	}
	everybodySees("ann online, bob at lunch busy, carl at lunch busy")
	for _, tab := range []*Tab{ann, carl} {
		tab.Run(`turn('hidden')`)
	}
	everybodySees("ann away, bob at lunch busy, carl at lunch away")
	ann.Run(`turn('visible')`)
	everybodySees("ann online, bob at lunch busy, carl at lunch away")

	// A new stream, here for one more channel, shows the same. Nobody has left meanwhile.
	bob.Run(`client.subscribe('news:x').ready()`)
	bob.Close()
	all = []*Tab{ann, carl}
	everybodySees("ann online, carl at lunch away")
	for _, tab := range all {
		if left := Eval[string](tab, `left.join()`); left != "bob at lunch" {
			t.Errorf("%s saw leave: %s", tab.name, left)
		}
	}
}

package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// chat is a site for the browser client. Users are whom their cookies call them. A
// browser that has much else to do has some seconds to answer, because to be thrown out
// would show in the events.
const chat = global + `
http://{{site}} {
	` + around + `
	realtime /rt {
		heartbeat 5s 5s
		api_key app-key
		user {http.request.cookie.user}
		room chat:* {
			subscribe users
			publish users
			history 100
		}
		room desk:* {
			subscribe users
			presence {
				grace off
			}
		}
		room hall:* {
			subscribe users
			presence {
				grace 1m
			}
		}
	}
}
`

// visitor opens a page with a client for a user.
func (c *Chromium) visitor(user, base, options string) *Tab {
	c.t.Helper()
	tab := c.Open(user, base+"/client.html")
	tab.Run(`document.cookie = 'user=%s'; client = start(%s)`, user, options)
	return tab
}

// state is what a client notes of itself, under the name of the state.
type state struct{ Transport, Code string }

// What is said in one tab arrives in all others, in one order.
func TestClientChat(t *testing.T) {
	s := integration.Start(t, caddyfile(t, chat))
	browser, base := Start(t), "http://"+s.Addr("site")
	ann, bob := browser.visitor("ann", base, ""), browser.visitor("bob", base, "")
	for _, tab := range []*Tab{ann, bob} {
		tab.Run(`chat = join(client, 'chat:x')`)
		if o := Await[state](tab, "open"); o.Transport != "websocket" {
			t.Errorf("connected by %s", o.Transport)
		}
		Await[any](tab, "subscribed")
	}
	const each = 20
	for _, tab := range []*Tab{ann, bob} {
		tab.Run(`for (let n = 1; n <= %d; n++) chat.publish({ n })`, each)
	}
	said := make(map[string]int)
	for offset := range uint64(2 * each) {
		m := Expect[message](ann, "message")
		if other := Expect[message](bob, "message"); other != m || m.Offset != offset+1 {
			t.Fatalf("message %d is %+v for ann and %+v for bob", offset+1, m, other)
		}
		said[m.Sender]++
		if want := fmt.Sprintf(`{"n":%d}`, said[m.Sender]); m.Content != raw(want) {
			t.Errorf("the next message of %s is %s instead of %s", m.Sender, m.Content, want)
		}
	}
}

// A user with two tabs is there once, until the last of them is closed. A wrong
// event would come before the ones of carl, who does nothing but bracket it.
func TestClientPresence(t *testing.T) {
	s := integration.Start(t, caddyfile(t, chat))
	browser, base := Start(t), "http://"+s.Addr("site")
	enter := func(user string) *Tab {
		tab := browser.visitor(user, base, "")
		tab.Run(`desk = join(client, 'desk:x')`)
		Await[any](tab, "sync")
		return tab
	}
	ann := enter("ann")
	bob := enter("bob")
	expect := func(kind, user string) {
		t.Helper()
		if got := Expect[string](ann, kind); got != user {
			t.Errorf("%s of %s instead of %s", kind, got, user)
		}
	}
	expect("enter", "bob")
	again := enter("bob")
	carl := enter("carl")
	expect("enter", "carl")
	again.Close()
	s.WaitLog(`"msg":"connection ended"`)
	carl.Run(`desk.unsubscribe()`)
	expect("leave", "carl")
	bob.Close()
	expect("leave", "bob")
	if members := Eval[[]string](ann, `[...desk.presence.members.keys()]`); len(members) != 1 || members[0] != "ann" {
		t.Errorf("the members are %v", members)
	}
}

// To load a page again is no reason to leave, where the room has a grace.
func TestClientPageReload(t *testing.T) {
	s := integration.Start(t, caddyfile(t, chat))
	browser, base := Start(t), "http://"+s.Addr("site")
	enter := func(tab *Tab) *Tab {
		tab.Run(`hall = join(client, 'hall:x')`)
		Await[any](tab, "sync")
		return tab
	}
	ann := enter(browser.visitor("ann", base, ""))
	bob := enter(browser.visitor("bob", base, ""))
	Expect[string](ann, "enter")
	bob.Do(chromedp.Reload())
	bob.Run(`client = start()`)
	enter(bob)
	enter(browser.visitor("carl", base, ""))
	if user := Expect[string](ann, "enter"); user != "carl" {
		t.Errorf("%s has entered", user)
	}
}

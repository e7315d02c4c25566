package browser

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const watched = global + `
http://{{site}} {
	realtime /rt {
		api_key app-key
		console
		heartbeat 10m 10m # the members read nothing, and so answer no ping
		user {header.X-User}
		room chat:* {
			subscribe anyone
			publish anyone
			history 10
			presence
		}
		room secret:* {
			subscribe users
		}
	}
}
`

// evil is a name that would be an element, if the page took it as markup.
const evil = `<img src=x onerror=document.title=1>`

// member is somebody in chat:1.
func member(t *testing.T, base, user string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(base, "http")+"/rt", http.Header{"X-User": {user}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"subscribe","payload":{"channel":"chat:1"}}`)); err != nil {
		t.Fatal(err)
	}
	for {
		_, text, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(`"presence"`)) {
			return ws
		}
	}
}

// An operator looks at everything that the console has.
func TestConsole(t *testing.T) {
	s := integration.Start(t, caddyfile(t, watched))
	base := "http://" + s.Addr("site")
	member(t, base, evil)
	ann := member(t, base, "ann")
	if err := ann.WriteMessage(websocket.TextMessage, []byte(`{"type":"message","payload":{"channel":"chat:1","content":"`+evil+`"}}`)); err != nil {
		t.Fatal(err)
	}

	p := Start(t).Open("operator", "about:blank")
	p.Do(onNewPage(`addEventListener('securitypolicyviolation', (e) => (window.violations ??= []).push(e.violatedDirective));
		addEventListener('error', (e) => (window.violations ??= []).push(e.message));`), chromedp.Navigate(base+"/rt/console"))
	p.shows("body", "Enter an API key")
	p.login("wrong")
	p.shows("body", "does not know this key")
	p.login("app-key")
	p.shows("body", "Bytes in queues")
	Eval[bool](p, `new Promise((yes) => { const look = () => document.querySelectorAll('canvas').length === 3 ? yes(true) : setTimeout(look, 20); look(); })`)
	p.phone("the overview")

	p.Run(`document.querySelector('nav a[href="#/channels"]').click()`)
	p.shows("body", "chat:1")
	p.Run(`document.querySelector('td a').click()`)
	p.shows("body", "#1")
	p.shows("body", "live")
	p.shows("body", evil)
	p.Run(`document.querySelector('textarea').value = '{"from":"the console"}'; document.querySelector('form button').click()`)
	p.shows("body", "Published at #2")
	p.shows("body", `{"from":"the console"}`)
	p.shows("body", "This channel has no document.")
	p.phone("a channel")

	p.Run(`location.hash = '#/explain'`)
	p.shows("body", "in the channel")
	p.Run(`document.querySelector('input[required]').value = 'secret:1'; document.querySelector('form button').click()`)
	p.shows("body", "Not allowed.")
	p.phone("explain")

	p.Run(`location.hash = '#/connections'`)
	p.shows("body", "websocket")
	p.phone("the connections")
	p.Run(`window.confirm = () => true; [...document.querySelectorAll('tbody tr')].find((row) => row.innerText.includes('ann')).querySelector('a').click()`)
	p.shows("body", "chat:1")
	p.Run(`document.querySelector('button.danger').click()`)
	p.shows("body", "Closed.")
	for {
		if _, _, err := ann.ReadMessage(); err != nil {
			break
		}
	}

	if Eval[int](p, `document.querySelectorAll('main img').length`) > 0 {
		t.Error("a text of a client has become an element")
	}
	if got := Eval[string](p, `JSON.stringify(window.violations || [])`); got != "[]" {
		t.Errorf("the page has errors: %s", got)
	}
}

// onNewPage runs a script in each page before its own.
func onNewPage(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

func (p *Tab) login(key string) {
	p.t.Helper()
	p.Run(`document.querySelector('.login input').value = '%s'; document.querySelector('.login button').click()`, key)
}

// phone checks that the page fits a phone, without scrolling to the side.
func (p *Tab) phone(what string) {
	p.t.Helper()
	p.narrow(390)
	if wide := Eval[int](p, `document.documentElement.scrollWidth`); wide > 390 {
		p.t.Errorf("%s is %d pixels wide on a phone", what, wide)
	}
	p.narrow(1200)
}

package browser

import (
	"context"
	_ "embed"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

//go:embed testdata/spy.js
var spy string

// calling are the flags by which pages reach each other on the loopback address: it is
// no candidate otherwise, and local addresses are hidden behind names that only a
// network resolves. The camera is a moving picture.
var calling = []Flag{
	{disableFeatures, "WebRtcHideLocalIpsWithMdns"},
	{"allow-loopback-in-peer-connection", true},
	{"use-fake-device-for-media-stream", true},
	{"use-fake-ui-for-media-stream", true},
}

// caller is a tab with the example.
type caller struct{ *Tab }

// phone opens the example and gives it a name.
func (c *Chromium) phone(name, url string) caller {
	c.t.Helper()
	tab := c.Open(name, "about:blank")
	tab.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: spy})
		return err
	}), chromedp.Navigate(url))
	tab.shows("#status", "connected")
	tab.Run(`own = document.querySelector('#name'); own.value = '%s'; own.dispatchEvent(new Event('change'))`, name)
	return caller{tab}
}

// calls another page, which accepts.
func (c caller) calls(other caller) {
	c.t.Helper()
	c.rings(other.name)
	other.shows("article[data-state=ringing] header", c.name+"is calling you")
	other.press(".accept")
}

// press presses a button in a card, as a script does: for the browser nobody has
// touched the page.
func (c caller) press(button string) {
	c.t.Helper()
	c.Run(`document.querySelector('article:last-of-type %s').click()`, button)
}

// sees waits until the page shows a moving picture that is not black.
func (c caller) sees() {
	c.t.Helper()
	c.Do(chromedp.Poll[chromedp.Void](`(() => {
		const video = document.querySelector('article video');
		if (!video?.checkVisibility() || video.paused || !(video.currentTime > 0)) return false;
		const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 30 });
		const pen = canvas.getContext('2d');
		pen.drawImage(video, 0, 0, 40, 30);
		const light = pen.getImageData(0, 0, 40, 30).data.filter((v, i) => i % 4 < 3 && v > 64).length;
		return light > 100;
	})()`))
}

// rings presses the button beside a name.
func (c caller) rings(name string) {
	c.t.Helper()
	c.shows("#members", name+"Call")
	c.Run(`[...document.querySelectorAll('#members li')].find((li) => li.textContent.startsWith('%s')).querySelector('button').click()`, name)
}

func (c caller) says(text string) {
	c.t.Helper()
	c.Run(`document.querySelector('article input').value = '%s'; document.querySelector('article form').requestSubmit()`, text)
}

// signals counts the messages that the page has received, by what is in them.
func (c caller) signals(what string) int {
	c.t.Helper()
	return Eval[int](c.Tab, `heard.filter(({ type, payload }) => type === 'message' && JSON.stringify(payload).includes('%s')).length`, what)
}

// Two pages find each other by messages to one member, of which a third one in the room
// sees nothing. One is closed: the other notices.
func TestExampleCall(t *testing.T) {
	s := integration.Start(t, example(t, "call"))
	browser, url := Start(t, calling...), "http://"+s.Addr("site")+"/"
	ann, bob, carl := browser.phone("ann", url), browser.phone("bob", url), browser.phone("carl", url)

	ann.calls(bob)
	for c, other := range map[caller]string{ann: "bob", bob: "ann"} {
		c.shows("article[data-state=open] header", other+"connected")
	}
	ann.says("can you hear me")
	bob.shows("article ol", "can you hear me")
	bob.says("loud and clear")
	ann.shows("article ol", "loud and clear")

	ann.Run(`document.querySelector('#camera').click()`)
	bob.sees()
	bob.Run(`document.querySelector('#camera').click()`)
	ann.sees()
	ann.Run(`document.querySelector('#camera').click()`)
	bob.Do(chromedp.Poll[chromedp.Void](`document.querySelector('article video').hidden`))

	announce(t, url)
	for _, c := range []caller{ann, bob, carl} {
		c.Do(chromedp.Poll[chromedp.Void](`heard.some(({ payload }) => payload.content === 'to all')`))
	}
	if n := carl.signals(""); n != 1 {
		t.Errorf("carl received %d messages:\n%s", n, Eval[string](carl.Tab, `JSON.stringify(heard)`))
	}
	if n := Eval[int](carl.Tab, `document.querySelectorAll('article').length`); n != 0 {
		t.Errorf("carl shows %d calls", n)
	}
	for c, what := range map[caller]string{ann: `"answer"`, bob: `"offer"`} {
		if c.signals(what) == 0 || c.signals(`"candidate"`) == 0 {
			t.Errorf("%s received no %s, or no candidates", c.name, what)
		}
	}

	bob.Close()
	ann.shows("article[data-state=closed] header", "bobhas left")
	carl.calls(ann)
	ann.shows("article[data-state=open] header", "carlconnected")
	carl.press(".end")
	ann.shows("article[data-state=closed]:last-child header", "carlended")
}

// A call rings, and nothing of a page gets out before somebody has accepted there: no
// offer, no answer, no address, no picture. It can be declined, and taken back.
func TestExampleCallRings(t *testing.T) {
	s := integration.Start(t, example(t, "call"))
	browser, url := Start(t, calling...), "http://"+s.Addr("site")+"/"
	ann, bob := browser.phone("ann", url), browser.phone("bob", url)
	for _, c := range []caller{ann, bob} {
		c.Run(`document.querySelector('#camera').click()`)
		c.shows("#camera", "Camera off")
	}

	ann.rings("bob")
	ann.shows("article[data-state=calling] header", "bobcalling")
	bob.shows("article[data-state=ringing] header", "annis calling you")
	bob.press(".end")
	ann.shows("article[data-state=closed] header", "bobdeclined")
	ann.press(".end")

	ann.rings("bob")
	bob.shows("article[data-state=ringing] header", "annis calling you")
	ann.press(".end")
	bob.shows("article[data-state=closed] header", "annended")
	bob.press(".end")

	for _, c := range []caller{ann, bob} {
		if n := c.signals(`"candidate"`) + c.signals(`"description"`); n != 0 {
			t.Errorf("%s received %d signals of a call that nobody accepted", c.name, n)
		}
	}
	// With both cameras on since before the call.
	ann.calls(bob)
	ann.sees()
	bob.sees()
}

// Both call each other at the same time: each rings before it hears the other one ring.
// Nobody has to accept then, and both make an offer.
func TestExampleCallGlare(t *testing.T) {
	s := integration.Start(t, example(t, "call"))
	browser, url := Start(t, calling...), "http://"+s.Addr("site")+"/"
	ann, bob := browser.phone("ann", url), browser.phone("bob", url)
	bob.shows("#members", "annCall")
	bob.Run(`hold(true)`)
	ann.rings("bob")
	bob.hears(`content?.ring`)
	bob.rings("ann")
	ann.hears(`content?.ring`)
	bob.hears(`content?.description?.type === 'offer'`) // ann's; bob makes one when he hears her ring
	bob.Run(`hold(false)`)
	for _, c := range []caller{ann, bob} {
		c.shows("article[data-state=open] header", "connected")
	}
	bob.says("after you")
	ann.shows("article ol", "after you")
	ann.says("no, after you")
	bob.shows("article ol", "no, after you")
	for _, c := range []caller{ann, bob} {
		if n := Eval[int](c.Tab, `document.querySelectorAll('article').length`); n != 1 {
			t.Errorf("%s shows %d calls", c.name, n)
		}
	}
}

// hears waits until the page has received a message of which an expression is true.
func (c caller) hears(expression string) {
	c.t.Helper()
	c.Do(chromedp.Poll[chromedp.Void](`heard.some(({ payload: { content } }) => ` + expression + `)`))
}

// announce publishes a message to the whole room.
func announce(t *testing.T, url string) {
	t.Helper()
	res, err := http.Post(url+"realtime/channels/call:lobby/messages", "application/json", strings.NewReader(`{"content":"to all"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
}

// If the site has a relay, both pages get credentials for it before they connect, and not earlier.
func TestExampleCallAsksForTurn(t *testing.T) {
	t.Setenv("REALTIME_TEST_TURN", "shared")
	site := strings.Replace(example(t, "call"), "\t\troom call:*", "\t\tturn {\n\t\t\turi turn:127.0.0.1:9\n\t\t\tsecret {env.REALTIME_TEST_TURN}\n\t\t\tanyone\n\t\t}\n\t\troom call:*", 1)
	s := integration.Start(t, site)
	browser, url := Start(t, calling...), "http://"+s.Addr("site")+"/"
	ann, bob := browser.phone("ann", url), browser.phone("bob", url)
	const asked = `performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/turn')).length`
	for _, c := range []caller{ann, bob} {
		c.Run(`configs = [];
			window.RTCPeerConnection = class extends RTCPeerConnection { constructor(config) { configs.push(config); super(config); } }`)
	}
	ann.rings("bob")
	bob.shows("article[data-state=ringing] header", "annis calling you")
	if n := Eval[int](bob.Tab, asked); n != 0 {
		t.Errorf("bob's page has asked %d times before he accepted", n)
	}
	bob.press(".accept")
	for c, other := range map[caller]string{ann: "bob", bob: "ann"} {
		c.shows("article[data-state=open] header", other+"connected")
		if got := Eval[string](c.Tab, `configs.map(({ iceServers: [{ urls, username, credential }] }) => urls + ' ' + username.split(':')[1] + ' ' + credential.length).join()`); got != "turn:127.0.0.1:9 anonymous 28" {
			t.Errorf("%s connects with %q", c.name, got)
		}
	}
}

// A page to which no WebSocket gets through says that it cannot call, and nobody can call it. When one gets through, both can.
func TestExampleCallNeedsWebSocket(t *testing.T) {
	s := integration.Start(t, example(t, "call")+middlebox)
	browser := Start(t, calling...)
	ann, bob := browser.phone("ann", "http://"+s.Addr("site")+"/"), browser.phone("bob", "http://"+s.Addr("proxy")+"/")
	const said = `document.querySelector('#deaf').checkVisibility()+''`
	const callable = `[...document.querySelectorAll('#members li')].filter((li) => !li.textContent.includes('(you)')).map((li) => li.textContent + !li.querySelector('button').disabled).join()`
	bob.comesTo(said, "true")
	bob.comesTo(callable, "annCallfalse")
	ann.comesTo(callable, "bobCallfalse")
	ann.comesTo(said, "false")
	bob.readable("without a WebSocket")

	s.Reload(example(t, "call") + window)
	bob.comesTo(said, "false")
	ann.comesTo(callable, "bobCalltrue")
	ann.calls(bob)
	bob.shows("article[data-state=open] header", "annconnected")
}

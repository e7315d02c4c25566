package browser

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// example reads the Caddyfile of an example, at an address of the test's.
func example(t *testing.T, name string) string {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join("../../examples", name))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "Caddyfile"))
	if err != nil {
		t.Fatal(err)
	}
	installed := "{$PACKAGES:../../client/node_modules}"
	packages := filepath.Join(folder, "../../client/node_modules")
	if _, err := os.Stat(packages); err != nil && strings.Contains(string(text), installed) {
		t.Skip("the packages of the client are not installed: run 'make client'")
	}
	return strings.NewReplacer(
		"http://localhost:{$PORT:8080}", "http://{{site}}", installed, packages,
		"bind 127.0.0.1 [::1]", "",
		"root * .", "root * "+folder, "{file../example-key}", "{file."+filepath.Join(folder, "example-key")+"}",
	).Replace(string(text))
}

// shows waits until an element of the page has a text in it.
func (p *Tab) shows(selector, text string) {
	p.t.Helper()
	p.Do(chromedp.Poll[chromedp.Void](
		`document.querySelector('`+selector+`')?.textContent.includes('`+text+`')`, chromedp.WithPollingMutation()))
}

// What a visitor of the example sees: the connection, the others, and what they say.
func TestExampleChat(t *testing.T) {
	s := integration.Start(t, example(t, "chat"))
	browser, url := Start(t), "http://"+s.Addr("site")+"/"
	ann, bob := browser.Open("ann", url), browser.Open("bob", url)
	for _, tab := range []*Tab{ann, bob} {
		tab.shows("#status", "connected by WebSocket")
		tab.shows("#count", "2")
		tab.Run(`own = document.querySelector('#name'); own.value = '%s'; own.dispatchEvent(new Event('change'))`, tab.name)
	}
	ann.shows("#members", "bob")
	bob.shows("#members", "ann")
	ann.Run(`document.querySelector('#text').value = 'Good morning!'; document.querySelector('#form').requestSubmit()`)
	ann.shows("#messages .own", "Good morning!")
	bob.shows("#messages", "annGood morning!")
	ann.Close()
	browser.Open("carl", url).shows("#messages", "Good morning!")
}

// Who is typing is shown to the others until the message comes, and a reaction flies by in all
// pages. Neither is in the history.
func TestExampleChatOfTheMoment(t *testing.T) {
	s := integration.Start(t, example(t, "chat"))
	browser, url := Start(t), "http://"+s.Addr("site")+"/"
	ann, bob := browser.Open("ann", url), browser.Open("bob", url)
	for _, tab := range []*Tab{ann, bob} {
		tab.shows("#count", "2")
	}
	ann.Run(`document.querySelector('#name').value = 'Ann';
		document.querySelector('#text').value = 'Good'; document.querySelector('#text').dispatchEvent(new Event('input'))`)
	bob.shows("#typing", "Ann is typing")
	ann.Run(`document.querySelector('#form').requestSubmit()`)
	bob.shows("#messages", "AnnGood")
	bob.Do(chromedp.Poll[chromedp.Void](`document.querySelector('#typing').textContent === ''`))
	ann.Run(`document.querySelector('#reactions button').click()`)
	bob.shows("#sky", "❤")
	ann.shows("#sky", "❤")
	carl := browser.Open("carl", url)
	carl.shows("#messages", "Good")
	if n := Eval[int](carl, `document.querySelectorAll('#messages li').length`); n != 1 {
		t.Errorf("a page that comes later has %d messages", n)
	}
}

// The pointer of one is a cursor with a name on the boards of the others.
func TestExampleBoardCursors(t *testing.T) {
	s := integration.Start(t, example(t, "todo"))
	browser, url := Start(t), "http://"+s.Addr("site")+"/"
	ann, bob := browser.Open("ann", url+"?name=Ann"), browser.Open("bob", url+"?name=Bob")
	for _, tab := range []*Tab{ann, bob} {
		tab.Do(chromedp.Poll[chromedp.Void](`document.querySelectorAll('#people li').length === 2`))
	}
	ann.Run(`document.querySelector('main').dispatchEvent(new PointerEvent('pointermove', { pointerType: 'mouse', clientX: 120, clientY: 150, bubbles: true }))`)
	bob.shows("#cursors", "Ann")
	bob.Do(chromedp.Poll[chromedp.Void](`(() => {
		const { left, top } = document.querySelector('#cursors span').getBoundingClientRect();
		return Math.abs(left - 120) < 2 && Math.abs(top - 150) < 2;
	})()`))
	ann.Close()
	bob.Do(chromedp.Poll[chromedp.Void](`document.querySelectorAll('#cursors span').length === 0`))
}

// The newest fragment of each price is on the page, also on one that comes later, and prices
// that stop are noticed.
func TestExampleDashboard(t *testing.T) {
	s := integration.Start(t, example(t, "dashboard"))
	site := "http://" + s.Addr("site")
	res, err := http.Get(site + "/example-key")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("the request for the key of the app is answered with %s", res.Status)
	}
	ann := Start(t).Open("ann", site+"/")
	ann.shows("#status", "connected, no new prices")
	price := func(text string) {
		t.Helper()
		body := `[{"channels":["prices:HOP"],"event":"HOP","content":"<b>` + text + `</b>"}]`
		r, err := http.NewRequest(http.MethodPost, site+"/realtime/publish", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer a-key-that-everybody-knows")
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
	}
	price("84.20")
	ann.shows("[sse-swap=HOP] b", "84.20")
	ann.shows("#status", "live")
	price("85.10")
	ann.shows("[sse-swap=HOP] b", "85.10")
	Start(t).Open("bob", site+"/").shows("[sse-swap=HOP] b", "85.10")
	ann.shows("#status", "connected, no new prices")
}

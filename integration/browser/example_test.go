package browser

import (
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
	return strings.NewReplacer(
		"http://localhost:{$PORT:8080}", "http://{{site}}",
		"bind 127.0.0.1 [::1]", "",
		"root * .", "root * "+folder,
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

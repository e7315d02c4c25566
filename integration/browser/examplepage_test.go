package browser

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// connected is the text in the status of each example while it has a connection.
var connected = map[string]string{"call": "connected", "chat": "connected by", "dashboard": "connected", "form": "saved", "todo": "saved"}

// narrow gives the tab the screen of a phone.
func (p *Tab) narrow(width int64) {
	p.t.Helper()
	p.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: width, Height: 640, DeviceScaleFactor: 2, Mobile: true,
		})
		return err
	}))
}

// On a phone nothing of an example is cut off or has to be scrolled to the side, also
// with long names and words in it.
func TestExamplesFitPhones(t *testing.T) {
	for name, status := range connected {
		t.Run(name, func(t *testing.T) {
			s := integration.Start(t, example(t, name))
			browser, url := Start(t), "http://"+s.Addr("site")+"/?name=WWWWWWWWWWWWWWWWWWWWWWWW&room=WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"
			other, tab := browser.Open("other", url), browser.Open("phone", url)
			for _, p := range []*Tab{other, tab} {
				p.shows("#status", status)
			}
			other.Run(`{
				const name = document.querySelector('#name');
				if (name) { name.value = 'W'.repeat(24); name.dispatchEvent(new Event('change')); }
				const text = document.querySelector('#text, input[name=text]');
				if (text) { text.value = 'W'.repeat(200); text.form.requestSubmit(); }
			}`)
			for _, width := range []int64{320, 360, 414} {
				tab.narrow(width)
				if has := Eval[int64](tab, `document.documentElement.scrollWidth`); has != width {
					t.Errorf("on a screen of %d px the page has %d", width, has)
				}
				if cut := Eval[string](tab, `[...document.querySelectorAll('input, textarea, select, button, #status')]
					.filter((e) => e.checkVisibility()).filter((e) => e.getBoundingClientRect().right > innerWidth || e.getBoundingClientRect().left < 0)
					.map((e) => e.outerHTML).join('\n')`); cut != "" {
					t.Errorf("on a screen of %d px this is cut off:\n%s", width, cut)
				}
			}
		})
	}
}

// A page that has lost the network says so at once, although its WebSocket looks alive,
// and takes it back when the network is there again.
func TestExamplesSayOffline(t *testing.T) {
	for name, status := range connected {
		t.Run(name, func(t *testing.T) {
			s := integration.Start(t, example(t, name))
			tab := Start(t).Open("ann", "http://"+s.Addr("site")+"/")
			tab.shows("#status", status)
			online := tab.dot()
			tab.offline(true)
			tab.shows("#status", "offline")
			if offline := tab.dot(); offline == online {
				t.Errorf("the dot is %s as before", offline)
			}
			tab.offline(false)
			tab.shows("#status", status)
			if again := tab.dot(); again != online {
				t.Errorf("the dot is %s after %s", again, online)
			}
		})
	}
}

// dot is the colour of the dot before the status.
func (p *Tab) dot() string {
	p.t.Helper()
	return Eval[string](p, `getComputedStyle(document.querySelector('#status'), '::before').backgroundColor`)
}

// Somebody who writes in a field keeps the caret and the selection at their words when
// somebody else changes the same field.
func TestExamplesKeepCaret(t *testing.T) {
	for name, field := range map[string]string{"form": "textarea", "todo": "li textarea"} {
		t.Run(name, func(t *testing.T) {
			s := integration.Start(t, example(t, name))
			browser, url := Start(t), "http://"+s.Addr("site")+"/"
			ann, bob := browser.Open("ann", url), browser.Open("bob", url)
			for _, p := range []*Tab{ann, bob} {
				p.shows("#status", "saved")
				p.Run(`field = () => document.querySelector('%s');
					type = (text) => { field().value = text; field().dispatchEvent(new Event('input')); }`, field)
			}
			ann.Run(`document.querySelector('input[name=text]') && (document.querySelector('input[name=text]').value = '-',
				document.querySelector('form').requestSubmit())`)
			ann.Run(`type('buy milk today')`)
			ann.Run(`field().focus(); field().setSelectionRange(4, 8)`)
			bob.holds("buy milk today")
			for _, text := range []string{
				"buy milk today, or bread",        // behind
				"please buy milk today, or bread", // before
				"milk today, or bread",
				"milk",
			} {
				bob.Run(`type(%q)`, text)
				ann.holds(text)
				if marked := Eval[string](ann, `field().value.slice(field().selectionStart, field().selectionEnd)`); marked != "milk" {
					t.Errorf("in %q is selected %q", text, marked)
				}
			}
		})
	}
}

// holds waits until the field has a text.
func (p *Tab) holds(text string) {
	p.t.Helper()
	p.Do(chromedp.Poll[chromedp.Void](`field()?.value === '` + text + `'`))
}

package browser

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
)

// look is what a visitor sees of an example.
type look struct {
	example   string
	connected string // a part of the status
	empty     string // a part of the page before somebody has done something
	fill      string // a script that does something
	full      string // an expression that is true then
	gone      string // a part of the status when the server is gone
}

// say sends a message from a form.
const say = `field = document.querySelector('#text, #input'); field.value = 'hello'; field.form.requestSubmit()`

// prices publishes one that rises and one that falls, as the app of the dashboard does.
const prices = `fetch('/realtime/publish', {
	method: 'POST',
	headers: { authorization: 'Bearer a-key-that-everybody-knows', 'content-type': 'application/json' },
	body: JSON.stringify([['HOP', 'up'], ['MALT', 'down']].map(([event, way]) => (
		{ channels: ['prices:' + event], event, content: '<b>84.20</b><i class=' + way + '>1.50 %</i>' }))),
})`

var looks = []look{
	{"chat", "connected by", "Nobody has said anything yet.", say, `!!document.querySelector('#messages li')`, "reconnecting"},
	{"todo", "saved", "nothing here", `form = document.querySelector('form'); form.elements.text.value = 'hello'; form.requestSubmit()`, `!!document.querySelector('li textarea')`, "offline"},
	{"form", "saved", "Nothing is planned yet.", `field = document.querySelector('[name=title]'); field.value = 'hello'; field.dispatchEvent(new Event('input'))`, `document.querySelector('#empty').hidden`, "offline"},
	{"call", "connected", "You are not in a call.", `document.querySelector('#members button').click()`, `!!document.querySelector('article')`, "reconnecting"},
	{"dashboard", "connected", "waiting for a price", prices, `document.querySelectorAll('main b').length === 2`, "connecting"},
	{"socketio", "connected", "Nobody has said anything yet.", say, `!!document.querySelector('#messages li')`, "connecting"},
	{"laravel-echo", "connected by", "Nobody has said anything yet.", say, `!!document.querySelector('#messages li')`, "connecting"},
}

// Each example says that it is empty, and how its connection is, also when its server is gone. All that it says can be
// read in both colour schemes and on a phone, whose page is as wide as its screen.
func TestExamplesLook(t *testing.T) {
	for _, l := range looks {
		t.Run(l.example, func(t *testing.T) {
			server := startLook(t, l.example)
			browser, url := Start(t), "http://"+server.Addr("site")+"/"
			tab := browser.Open("ann", url)
			tab.shows("#status", l.connected)
			tab.comesTo(`(`+sentences+`)().some(({ text }) => text.includes('`+l.empty+`'))+''`, "true")
			tab.readable("empty")
			bob := browser.Open("bob", url)
			bob.shows("#status", l.connected)
			if l.example == "call" {
				tab.shows("#count", "2")
			}
			tab.Run("%s", l.fill)
			tab.comesTo("("+l.full+")+''", "true")
			tab.readable("full")
			tab.content()
			bob.content()
			server.Kill()
			tab.shows("#status", l.gone)
			tab.readable("gone")
		})
	}
}

// rejections are what makes the server reject a visitor, and what the page then shows where.
var rejections = []struct{ example, from, to, where, says string }{
	{"call", "subscribe anyone", "subscribe users", "#problem", "The server has closed this"},
	{"chat", "subscribe anyone", "subscribe users", "#messages .error", "The server has closed this"},
	{"dashboard", "subscribe anyone", "subscribe users", "#status", "rejected by the server"},
	{"form", "subscribe anyone", "subscribe users", "#notice", "The server has closed this"},
	{"todo", "subscribe anyone", "subscribe users", "#notice", "The server has closed this"},
	{"socketio", "subscribe anyone", "subscribe users", "#status", "rejected: you must be signed in"},
	{"laravel-echo", "key app-key", "key another-key", "#messages .error", "The server has rejected this page: "},
	{"laravel-echo", "{$PUSHER_APP_SECRET:app-secret-of-this-example}", "another-secret-of-this-example", "#messages .error", "does not let you into this room (401)"},
	{"laravel-echo", "@app path /broadcasting/auth", "respond /broadcasting/auth 403\n@app path /broadcasting", "#messages .error", "does not let you into this room (403)"},
}

// A visitor whom the server, or the app behind it, does not let in learns it from the page.
func TestExamplesSayRejected(t *testing.T) {
	for _, r := range rejections {
		t.Run(r.example+" "+r.to, func(t *testing.T) {
			s := startLook(t, r.example, r.from, r.to)
			tab := Start(t).Open("ann", "http://"+s.Addr("site")+"/")
			tab.shows(r.where, r.says)
			if !Eval[bool](tab, `document.querySelector('%s').checkVisibility()`, r.where) {
				t.Error("the page says it where nobody sees it")
			}
		})
	}
}

// startLook starts the server of an example, with changes to its Caddyfile, and its app.
func startLook(t *testing.T, name string, changes ...string) *integration.Process {
	t.Helper()
	site := example(t, name)
	if changed := strings.NewReplacer(changes...).Replace(site); len(changes) == 0 || changed != site {
		site = changed
	} else {
		t.Fatalf("the Caddyfile has no %q", changes[0])
	}
	if name == "socketio" {
		clientPackages(t)
	}
	if name != "laravel-echo" {
		return integration.StartProcess(t, site)
	}
	t.Setenv("PACKAGES", packages(t))
	app := freeport.Addr(t)
	site = strings.Replace(site, "root * public", "root * "+examplePage(t), 1)
	s := integration.StartProcess(t, strings.ReplaceAll(site, "{$APP:127.0.0.1:8000}", app))
	phpServer(t, app, "../../examples/laravel-echo/app.php", "SITE_URL=http://"+s.Addr("site"))
	return s
}

// readable checks the page in both colour schemes, on a phone and on a desktop.
func (p *Tab) readable(when string) {
	p.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		p.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			return err
		}))
		for _, width := range []int64{900, 360} {
			p.narrow(width)
			p.Run(settled)
			if has := Eval[int64](p, `document.documentElement.scrollWidth`); has != width {
				p.t.Errorf("%s, %s: on a screen of %d px the page has %d", when, scheme, width, has)
			}
			// 4.5 is what WCAG asks for at level AA.
			said := `(%s)().filter(({ contrast }) => !(contrast >= 4.5)).map(({ text, contrast }) => contrast.toFixed(2) + ' ' + text).join('\n')`
			if bad := Eval[string](p, said, sentences); bad != "" {
				p.t.Errorf("%s, %s, %d px: this text has too little contrast:\n%s", when, scheme, width, bad)
			}
			if folder := os.Getenv("REALTIME_PICTURES_LOOKS"); folder != "" {
				p.picture(filepath.Join(folder, strings.Join([]string{filepath.Base(p.t.Name()), when, scheme, map[int64]string{900: "wide", 360: "phone"}[width]}, "-")+".png"), width, 640, scheme)
			}
		}
	}
}

// settled waits until what fades or moves has come to its end, and is drawn.
const settled = `Promise.all(document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime !== Infinity).map((a) => a.finished))
	.then(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))`

// sentences is a function that returns the texts that a page shows, also those of its style sheet, and their
// contrast with what is behind them, by the formula of WCAG. What cannot be used at the moment counts as no text, and
// neither does a sign without a letter or a digit, such as an emoji.
const sentences = `() => {
	const paper = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
	const rgba = (color) => {
		paper.clearRect(0, 0, 1, 1);
		paper.fillStyle = color;
		paper.fillRect(0, 0, 1, 1);
		const [r, g, b, a] = paper.getImageData(0, 0, 1, 1).data;
		return [r, g, b, a / 255];
	};
	const over = ([r, g, b, a], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
	const light = (color) => {
		const [r, g, b] = color.map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
		return .2126 * r + .7152 * g + .0722 * b;
	};
	const page = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255]; // the browser's own
	const found = [];
	const add = (element, text, style) => {
		if (!/[\p{L}\p{N}]/u.test(text) || !element.checkVisibility() || element.closest(':disabled')) return;
		let opacity = +style.opacity;
		const layers = [];
		for (let e = element; e; e = e.parentElement) {
			layers.unshift(rgba(getComputedStyle(e).backgroundColor));
			opacity *= getComputedStyle(e).opacity;
		}
		const behind = layers.reduce((under, layer) => over(layer, under), page);
		const [r, g, b, a] = rgba(style.color);
		const [low, high] = [light(behind), light(over([r, g, b, a * opacity], behind))].sort((x, y) => x - y);
		found.push({ text: text.trim(), contrast: (high + .05) / (low + .05) });
	};
	for (const element of document.body.querySelectorAll('*')) {
		if (/^(SCRIPT|STYLE|TEMPLATE)$/.test(element.tagName)) continue;
		const style = getComputedStyle(element);
		const own = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join('');
		add(element, own, { color: style.color, opacity: 1 });
		if ('value' in element && element.tagName !== 'BUTTON') {
			const placeholder = getComputedStyle(element, '::placeholder');
			if (element.value) add(element, element.value, { color: style.color, opacity: 1 });
			else add(element, element.placeholder ?? '', placeholder);
		}
		for (const name of ['::before', '::after']) {
			const { content, color, opacity } = getComputedStyle(element, name);
			if (/^"/.test(content)) add(element, content.slice(1, -1), { color, opacity });
		}
	}
	return found;
}`

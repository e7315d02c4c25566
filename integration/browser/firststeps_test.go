package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Getting started works as it is written, from top to bottom.
func TestGettingStarted(t *testing.T) {
	g := read(t, "docs/start.md", "## 1. Build Caddy with the module")
	g.follow("./caddy run")
	tab := Start(t).Open("reader", "http://"+g.Addr+"/")
	tab.Do(chromedp.Poll[chromedp.Void](`stream.readyState === EventSource.OPEN`))
	g.follow(". ./.env\ncurl")
	tab.shows("#news li:nth-child(1)", "It works")
	items := 1
	for _, app := range []struct{ language, name, command string }{
		{"php", "PHP", "php app.php"},
		{"python", "Python", "python3 app.py"},
		{"js", "JavaScript", "node app.mjs"},
	} {
		code, program := g.next(app.language), strings.Fields(app.command)
		if !runs(app.language) {
			t.Logf("%s is missing; its lines have not been tried", program[0])
			continue
		}
		g.write(filepath.Join(g.dir, program[1]), code.text, 0o644)
		g.terminal(". ./.env\n" + app.command)
		items++
		tab.Do(chromedp.Poll[chromedp.Void](`document.querySelectorAll('#news li').length === ` + fmt.Sprint(items)))
		tab.shows("#news li:last-child", "It works from "+app.name)
	}
	apiAddress := g.next("caddyfile").text
	edit(t, g, g.next("caddyfile").text)
	b := g.next("html")
	g.write(filepath.Join(g.dir, b.file), b.text, 0o644)
	editTogether(t, g)

	// The Caddyfile in which the API has its own address replaces the first one.
	g.write(filepath.Join(g.dir, "Caddyfile"), strings.Replace(apiAddress, "example.com", "http://"+g.Addr, 1), 0o644)
	g.stop()
	g.run()
}

// runs reports whether this machine can run a language, with what the documentation
// imports.
func runs(language string) bool {
	check := map[string][]string{
		"php":    {"php", "-v"},
		"python": {"python3", "-c", "import requests"},
		"js":     {"node", "-e", "fetch"},
	}[language]
	return exec.Command(check[0], check[1:]...).Run() == nil
}

// edit adds a room beside the first one of the Caddyfile, and restarts Caddy.
func edit(t *testing.T, g *guide, room string) {
	t.Helper()
	file := filepath.Join(g.dir, "Caddyfile")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g.write(file, strings.Replace(string(text), "\t\troom ", room+"\t\troom ", 1), 0o644)
	g.stop()
	g.run()
}

// editTogether opens the page with tasks twice, and sees in one what the other adds.
func editTogether(t *testing.T, g *guide) {
	t.Helper()
	browser, url := Start(t), "http://"+g.Addr+"/tasks.html"
	ann, bob := browser.Open("ann", url), browser.Open("bob", url)
	for _, tab := range []*Tab{ann, bob} {
		tab.Do(chromedp.Poll[chromedp.Void](`document.querySelector("form").onsubmit`))
	}
	ann.Run(`document.querySelector('input').value = 'Buy milk'; document.querySelector('form').requestSubmit()`)
	bob.shows("#tasks", "Buy milk")
	bob.Run(`document.querySelector('#tasks li').click()`)
	ann.shows("#tasks", "✓ Buy milk")
}

// The README works as it is written, from top to bottom: the user is known, and the app
// publishes.
func TestReadme(t *testing.T) {
	g := read(t, "README.md", "## Use it")
	g.follow("echo")
	g.follow("<!doctype html>")
	url := "http://ann:secret@" + g.Addr + "/"
	tab := Start(t).Open("reader", "about:blank")
	tab.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: console})
		return err
	}), chromedp.Navigate(url))
	tab.logs("ann hello")
	publish := g.next("sh").text
	g.terminal(publish)
	tab.logs("Your order is ready")

	// The other ways to connect, in the console of the page.
	tab.module(g.next("js").text)
	tab.Do(chromedp.Poll[chromedp.Void](`(() => { try { document.onclick(); return true; } catch { return false; } })()`))
	tab.logs("true")
	tab.Run(`document.ondblclick()`)
	tab.logs("")
	tab.module(g.next("js").text)
	tab.logs(`ann {"text":"hello"}`)
	tab.logs(`{"text":"Your order is ready"}`)
	tab.module(g.next("js").text)
	tab.logs("stream is open")
	g.terminal(publish)
	tab.logs(`{"channel":"chat:42"`)
	if len(g.blocks) > 0 {
		t.Errorf("nobody has tried these blocks: %+v", g.blocks)
	}
}

// console makes notes of what a page writes to its console, and of event streams.
const console = `
	console.log = (...all) => tell(JSON.stringify({ Kind: 'log',
		Value: all.map((v) => typeof v === 'string' ? v : JSON.stringify(v)).join(' ') }));
	EventSource = class extends EventSource {
		constructor(url) {
			super(url);
			this.addEventListener('open', () => console.log('the stream is open'));
		}
	};`

// logs waits until the page has written a line to the console with a text in it.
func (p *Tab) logs(text string) {
	p.t.Helper()
	for !strings.Contains(Await[string](p, "log"), text) {
	}
}

// module runs a script as a module of the page.
func (p *Tab) module(code string) {
	p.t.Helper()
	text, err := json.Marshal(code)
	if err != nil {
		p.t.Fatal(err)
	}
	p.Run(`document.head.append(Object.assign(document.createElement('script'), { type: 'module', textContent: %s }))`, text)
}

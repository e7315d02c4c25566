package browser

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// shared is a site for the pages of docs/frameworks.md, which are in a folder.
const shared = global + `
http://{{site}} {
	realtime {
		heartbeat 5s 5s
		room chat:* {
			subscribe anyone
			publish anyone
			history 100
			presence {
				grace off
			}
		}
		room board:* {
			subscribe anyone
			publish anyone
			document
		}
	}
	root {{folder}}
	file_server
}
`

// sharedSite starts a site with these pages and those in a folder.
func sharedSite(t *testing.T, folder string, pages map[string]string) (base string) {
	t.Helper()
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := integration.Start(t, strings.ReplaceAll(shared, "{{folder}}", folder))
	return "http://" + s.Addr("site")
}

// The pages of docs/frameworks.md, in React, Vue and Svelte, show the same: what each of them says and counts
// arrives in the others, and a page that is closed is not there any more.
func TestFrameworks(t *testing.T) {
	client, err := filepath.Abs("../../client")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = os.Stat(filepath.Join(client, "node_modules", "svelte")); err != nil {
		t.Skip("the packages of the client are not installed: run 'make client'")
	}
	folder := t.TempDir()
	if said, err := exec.Command("node", filepath.Join(client, "scripts", "pages.mjs"), folder).CombinedOutput(); err != nil {
		t.Fatalf("building the pages: %v\n%s", err, said)
	}
	base, browser := sharedSite(t, folder, nil), Start(t)
	frameworks := []string{"react", "vue", "svelte"}
	var tabs []*Tab
	for _, name := range frameworks {
		tabs = append(tabs, browser.Open(name, base+"/"+name+".html"))
	}
	everywhere := func(expression, want string) {
		t.Helper()
		for _, tab := range tabs {
			tab.comesTo(expression, want)
		}
	}
	text := `document.querySelector('p')?.textContent.replace(/\s+/g, ' ').trim()`
	everywhere(text, "open, 3 here")
	for i, tab := range tabs {
		everywhere(`document.querySelectorAll('li').length`+"+''", fmt.Sprint(i))
		tab.Do(chromedp.SendKeys(`input`, "said in "+frameworks[i]), chromedp.Click(`button`))
		everywhere(`document.querySelector('li:last-child')?.textContent`, "said in "+frameworks[i])
		tab.Do(chromedp.Click(`button[type=button]`))
		everywhere(`document.querySelector('button[type=button]').textContent.trim()`, fmt.Sprintf("%d votes", i+1))
	}
	tabs[0].Close()
	tabs = tabs[1:]
	everywhere(text, "open, 2 here")

	// A page that a server rendered is taken over as it is: no framework finds a difference.
	for _, name := range frameworks {
		tab := browser.Open(name+" from a server", base+"/"+name+"-server.html")
		tab.comesTo(`document.querySelector('li:last-child')?.textContent ?? ''`, "said in svelte")
		if said := Eval[string](tab, `warnings.join('\n')`); said != "" {
			t.Errorf("%s warns: %s", name, said)
		}
		tab.Close()
	}
}

// The documented page with script tags runs: it finds its server by its own address, and shows what others say. The
// same script has documents, and shows that its user is away.
func TestScriptTag(t *testing.T) {
	page := "<!doctype html>\n<meta charset=utf-8>\n<link rel=icon href=data:,>\n<body>\n" +
		read(t, "docs/frameworks.md", "## Script tags").next("html").text
	base, browser := sharedSite(t, t.TempDir(), map[string]string{"page.html": page}), Start(t)
	ann, bob := browser.Open("ann", base+"/page.html"), browser.Open("bob", base+"/page.html")
	for _, tab := range []*Tab{ann, bob} {
		tab.Run(`statuses = () => [...chat.presence.members.values()].map((member) => member.status).sort().join(' ');
			board = client.document('board:1')`)
	}
	ann.comesTo(`client.state + ' ' + statuses()`, "open online online")
	bob.Run(`chat.publish({ text: 'said by bob' })`)
	ann.shows("body", "said by bob")
	// A tab is never hidden here, so the page says that it is.
	ann.Run(`turn = (to) => {
		Object.defineProperty(document, 'visibilityState', { configurable: true, value: to });
		document.dispatchEvent(new Event('visibilitychange'));
	}
	CaddyRealtime.autoAway(chat.presence, { hidden: 50 });
	turn('hidden')`)
	bob.comesTo(`statuses()`, "away online")
	ann.Run(`turn('visible')`)
	bob.comesTo(`statuses()`, "online online")
	ann.comesTo(`board.status`, "synced")
	ann.Run(`board.update({ n: 1 })`)
	bob.comesTo(`JSON.stringify(board.value)`, `{"n":1}`)
}

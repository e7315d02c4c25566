package browser

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// packages is where the libraries of others are. Without them, or without PHP, the test is skipped.
func packages(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../client/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "laravel-echo")); err != nil {
		t.Skip("the packages of the client are not installed: run 'make client'")
	}
	if _, err := exec.LookPath("php"); err != nil {
		t.Skip("php is not installed; tools/needs names it")
	}
	return dir
}

// phpServer starts the server of PHP's command line with one script at an address.
func phpServer(t *testing.T, at, script string, env ...string) {
	t.Helper()
	cmd := exec.Command("php", "-n", "-S", at, script)
	cmd.Env = append(os.Environ(), env...)
	over, err := spawn.Start(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-over })
	for late := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", at); err == nil {
			conn.Close()
			return
		}
		if time.Now().After(late) {
			t.Fatal("PHP does not listen")
		}
	}
}

// A page with pusher-js and Laravel Echo, which are not ours, does what it does in Node. Its app is in PHP.
func TestEcho(t *testing.T) {
	dir := packages(t)
	scenario, err := os.ReadFile("../testdata/echo.js")
	if err != nil {
		t.Fatal(err)
	}
	app, signer := freeport.Addr(t), filepath.Join(filepath.Dir(examplePage(t)), "pusher.php")
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	s := integration.Start(t, `
http://{{site}} {
	realtime /rt {
		pusher my-app {
			key    key-1
			secret {env.REALTIME_TEST_PUSHER}
			client_events
		}
	}
	handle_path /packages/* {
		root * `+dir+`
		file_server
	}
	handle /page {
		header Content-Type text/html
		respond "<!doctype html><script src=/packages/pusher-js/dist/web/pusher-with-encryption.min.js></script>"
	}
	reverse_proxy `+app+`
}
`)
	phpServer(t, app, "testdata/echo.php", "PUSHER_PHP="+signer, "SITE_URL=http://"+s.Addr("site"))
	tab := Start(t).Open("page", "http://"+s.Addr("site")+"/page")
	tab.Run("%s", string(scenario)+`
;(async () => {
	const { default: Echo } = await import("/packages/laravel-echo/dist/echo.js");
	for (const broadcaster of ["pusher", "reverb"]) await playEcho({
		open: (user) => new Echo({
			broadcaster, key: "key-1", cluster: "", wsHost: location.hostname, wsPort: location.port, forceTLS: false,
			enabledTransports: ["ws", "wss"], auth: { headers: { "X-User": user } },
		}),
		trigger: (...args) => fetch("/trigger", { method: "POST", body: JSON.stringify(args) }),
		say: (text) => tell(JSON.stringify({ Kind: "passed", Value: broadcaster + ": " + text })),
	});
	tell(JSON.stringify({ Kind: "done" }));
})().catch((error) => tell(JSON.stringify({ Kind: "failed", Value: String(error) })))`)
	if n := tab.next(func(n Note) bool { return n.Kind != "passed" }, "done"); n.Kind != "done" {
		t.Fatal(n)
	}
}

// What a visitor of the example sees: the connection, the others, who types, and what they say. The app
// is the example's own.
func TestExampleLaravelEcho(t *testing.T) {
	t.Setenv("PACKAGES", packages(t))
	app := freeport.Addr(t)
	t.Setenv("APP", app)
	s := integration.Start(t, strings.Replace(example(t, "laravel-echo"), "root * public", "root * "+examplePage(t), 1))
	phpServer(t, app, "../../examples/laravel-echo/app.php", "SITE_URL=http://"+s.Addr("site"))
	browser, url := Start(t), "http://"+s.Addr("site")+"/"
	ann, bob := browser.Open("ann", url), browser.Open("bob", url)
	for _, tab := range []*Tab{ann, bob} {
		tab.shows("#status", "connected by Echo")
		tab.shows("#count", "2")
		tab.Run(`own = document.querySelector('#name'); own.value = '%s'; own.dispatchEvent(new Event('change'))`, tab.name)
	}
	ann.shows("#members", "bob")
	bob.shows("#members", "ann")
	ann.Run(`field = document.querySelector('#text'); field.value = 'Good morning!'; field.dispatchEvent(new Event('input'))`)
	bob.shows("#typing", "ann is typing")
	ann.Run(`document.querySelector('#form').requestSubmit()`)
	ann.shows("#messages .own", "Good morning!")
	bob.shows("#messages", "annGood morning!")
	if n := Eval[int64](ann, `document.querySelectorAll('#messages li').length`); n != 1 {
		t.Errorf("ann has %d messages", n)
	}
	online := ann.dot()
	ann.offline(true)
	ann.shows("#status", "offline")
	if ann.dot() == online {
		t.Error("the dot is the same offline")
	}
	ann.offline(false)
	ann.shows("#status", "connected by Echo")
	bob.Close()
	ann.shows("#count", "1")
	for _, width := range []int64{320, 414} {
		ann.narrow(width)
		if has := Eval[int64](ann, `document.documentElement.scrollWidth`); has != width {
			t.Errorf("on a screen of %d px the page has %d", width, has)
		}
	}
}

// examplePage is the folder of the example's page.
func examplePage(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../examples/laravel-echo/public")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

package engines

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// webkit speaks WebDriver (https://www.w3.org/TR/webdriver2/) to WebKitGTK's driver, which starts the browser.
type webkit struct {
	driver  string // the address of the driver
	session string // the path of the session there
	tabs    int
}

func startWebKit(t testing.TB) engine {
	t.Helper()
	programs, err := filepath.Glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser")
	if err != nil || len(programs) == 0 {
		t.Fatal("no MiniBrowser of WebKitGTK; install the package 'webkit2gtk-driver'")
	}
	w := new(webkit)
	address := freeport.Addr(t)
	w.driver = "http://" + address
	_, port, _ := net.SplitHostPort(address)
	driver := exec.Command("WebKitWebDriver", "--host=127.0.0.1", "--port="+port)
	// Without a home of its own it would leave its caches in that of the user.
	driver.Env = append(os.Environ(), "DISPLAY="+startDisplay(t), "HOME="+t.TempDir(), "LIBGL_ALWAYS_SOFTWARE=1")
	run(t, driver)
	w.wait(t)
	w.create(t, programs[0])
	return w
}

// wait waits until the driver answers.
func (w *webkit) wait(t testing.TB) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get(w.driver + "/status"); err == nil {
			_ = res.Body.Close()
			return
		}
	}
	t.Fatal("WebKitWebDriver does not listen")
}

func (w *webkit) create(t testing.TB, program string) {
	t.Helper()
	var session struct {
		SessionID    string
		Capabilities struct{ BrowserVersion string }
	}
	options := map[string]any{"binary": program, "args": []string{"--automation"}}
	w.command(t, &session, "POST", "/session", map[string]any{
		"capabilities": map[string]any{"alwaysMatch": map[string]any{"webkitgtk:browserOptions": options}},
	})
	w.session = "/session/" + session.SessionID
	t.Logf("WebKitGTK %s", session.Capabilities.BrowserVersion)
	t.Cleanup(func() { w.command(t, nil, "DELETE", w.session, nil) })
	w.command(t, nil, "POST", w.session+"/timeouts", map[string]any{"script": patience.Milliseconds()})
}

// command sends a command and decodes the value of its answer.
func (w *webkit) command(t testing.TB, value any, method, path string, params any) {
	t.Helper()
	body, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	if params == nil {
		body = nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience) // the end of the session comes after that of the test
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, w.driver+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s %v", method, path, res.Status, text, err)
	}
	if value == nil {
		return
	}
	answer := struct{ Value any }{value}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
}

func (w *webkit) open(t testing.TB, url string) page {
	t.Helper()
	p := &webkitTab{webkit: w, t: t}
	if w.tabs++; w.tabs == 1 {
		w.command(t, &p.handle, "GET", w.session+"/window", nil)
	} else {
		var tab struct{ Handle string }
		w.command(t, &tab, "POST", w.session+"/window/new", map[string]any{"type": "tab"})
		p.handle = tab.Handle
	}
	p.do(nil, "POST", "/url", map[string]any{"url": url})
	return p
}

type webkitTab struct {
	*webkit
	t      testing.TB
	handle string
}

// do sends a command to this tab.
func (p *webkitTab) do(value any, method, path string, params any) {
	p.t.Helper()
	p.command(p.t, nil, "POST", p.session+"/window", map[string]any{"handle": p.handle})
	p.command(p.t, value, method, p.session+path, params)
}

func (p *webkitTab) eval(body string) string {
	p.t.Helper()
	script := "const done = arguments[0]; (async () => {" + body + "\n})().then(done, (error) => done('error: ' + error));"
	var value any
	p.do(&value, "POST", "/execute/async", map[string]any{"script": script, "args": []any{}})
	text := fmt.Sprint(value)
	if strings.HasPrefix(text, "error: ") {
		p.t.Fatalf("%s: %s", body, text)
	}
	return text
}

func (p *webkitTab) reload() {
	p.t.Helper()
	p.do(nil, "POST", "/refresh", map[string]any{})
}

func (p *webkitTab) close() {
	p.t.Helper()
	p.do(nil, "DELETE", "/window", nil)
}

// startDisplay starts a screen that nobody sees, because WebKitGTK has no way to run without one. It returns its name.
func startDisplay(t testing.TB) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	server := exec.Command("Xvfb", "-displayfd", "3", "-nolisten", "tcp", "-screen", "0", "1280x800x24")
	server.ExtraFiles = []*os.File{write}
	run(t, server)
	_ = write.Close()
	number, err := bufio.NewReader(read).ReadString('\n') // Xvfb ends if nobody reads all that it writes
	if err != nil {
		t.Fatalf("Xvfb: %v", err)
	}
	return ":" + strings.TrimSpace(number)
}

// run starts a program, which the end of the test ends.
func run(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	over, err := spawn.Start(cmd, syscall.SIGTERM)
	if err != nil {
		t.Fatalf("%v; install the packages 'webkit2gtk-driver' and 'xvfb'", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-over
	})
}

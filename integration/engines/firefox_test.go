package engines

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// firefox speaks WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/), which Firefox does without another program.
type firefox struct {
	conn *websocket.Conn
	last int // the id of the last command
}

func startFirefox(t testing.TB) engine {
	t.Helper()
	program, err := exec.LookPath("firefox-esr")
	if err != nil {
		t.Fatal("no firefox-esr; install the package 'firefox-esr'")
	}
	cmd := exec.Command(program, "--headless", "--no-remote", "--profile", t.TempDir(), "--remote-debugging-port", "0")
	said, write := io.Pipe()
	cmd.Stderr = write
	over, err := spawn.Start(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = write.Close()
		<-over
	})
	f := new(firefox)
	if f.conn, _, err = websocket.DefaultDialer.Dial(listening(t, said)+"/session", nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.conn.Close() })
	var session struct {
		Capabilities struct{ BrowserVersion string }
	}
	f.command(t, &session, "session.new", map[string]any{"capabilities": map[string]any{}})
	t.Logf("Firefox %s", session.Capabilities.BrowserVersion)
	t.Cleanup(func() { f.command(t, nil, "browser.close", nil) }) // so that its own processes end, too
	return f
}

// listening returns the address of which Firefox says that it listens there.
func listening(t testing.TB, said io.Reader) string {
	t.Helper()
	found := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if _, address, ok := strings.Cut(lines.Text(), "BiDi listening on "); ok {
				found <- address
			}
		}
	}()
	select {
	case address := <-found:
		return address
	case <-time.After(patience):
		t.Fatal("Firefox does not listen")
		return ""
	}
}

// command sends a command, waits for its answer, and decodes the result.
func (f *firefox) command(t testing.TB, result any, method string, params any) {
	t.Helper()
	if params == nil {
		params = struct{}{}
	}
	f.last++
	if err := f.conn.WriteJSON(map[string]any{"id": f.last, "method": method, "params": params}); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	_ = f.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		var answer struct {
			ID            int
			Type, Message string
			Result        json.RawMessage
		}
		if err := f.conn.ReadJSON(&answer); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		if answer.ID != f.last {
			continue // an event
		}
		if answer.Type != "success" {
			t.Fatalf("%s: %s", method, answer.Message)
		}
		if result == nil {
			return
		}
		if err := json.Unmarshal(answer.Result, result); err != nil {
			t.Fatalf("%s: %v in %s", method, err, answer.Result)
		}
		return
	}
}

func (f *firefox) open(t testing.TB, url string) page {
	t.Helper()
	p := &firefoxTab{firefox: f, t: t}
	f.command(t, p, "browsingContext.create", map[string]any{"type": "tab"})
	f.command(t, nil, "browsingContext.navigate", map[string]any{"context": p.Context, "url": url, "wait": "complete"})
	return p
}

type firefoxTab struct {
	*firefox
	t       testing.TB
	Context string
}

func (p *firefoxTab) eval(body string) string {
	p.t.Helper()
	var value struct {
		Type    string
		Result  struct{ Value any }
		Details struct{ Text string } `json:"exceptionDetails"`
	}
	p.command(p.t, &value, "script.evaluate", map[string]any{
		"expression":   "(async () => {" + body + "\n})()",
		"target":       map[string]any{"context": p.Context},
		"awaitPromise": true,
	})
	if value.Type != "success" {
		p.t.Fatalf("%s: %s", body, value.Details.Text)
	}
	return fmt.Sprint(value.Result.Value)
}

func (p *firefoxTab) reload() {
	p.t.Helper()
	p.command(p.t, nil, "browsingContext.reload", map[string]any{"context": p.Context, "wait": "complete"})
}

func (p *firefoxTab) close() {
	p.t.Helper()
	p.command(p.t, nil, "browsingContext.close", map[string]any{"context": p.Context})
}

package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

const commandSite = `
{
	admin {{admin}}
	metrics
}
http://{{site}} {
	realtime /rt {
		user {header.X-User}
		api_key {env.REALTIME_TEST_KEY}
		drain 1s
		heartbeat 10m 10m # the clients read nothing for a while, and so answer no ping
		room chat:* {
			subscribe anyone
			publish anyone
			history 10
			presence
		}
		room inbox:{user}
	}
}
`

// program runs `caddy realtime` as an operator does.
type program struct {
	t    *testing.T
	path string
	env  []string
}

// run returns both outputs and the exit code.
func (p *program) run(args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	var out, notes bytes.Buffer
	c := p.command(args...)
	c.Stdout, c.Stderr = &out, &notes
	err := c.Run()
	var e *exec.ExitError
	if err != nil && !errors.As(err, &e) {
		p.t.Fatal(err)
	}
	return out.String(), notes.String(), c.ProcessState.ExitCode()
}

func (p *program) command(args ...string) *exec.Cmd {
	c := exec.CommandContext(p.t.Context(), p.path, append([]string{"realtime"}, args...)...)
	c.Env = p.env
	return c
}

// want runs a command that must end with a code, and must print all the texts.
func (p *program) want(code int, texts []string, args ...string) string {
	p.t.Helper()
	out, notes, got := p.run(args...)
	if got != code {
		p.t.Errorf("%q ends with %d instead of %d:\n%s%s", args, got, code, out, notes)
	}
	for _, text := range texts {
		if !strings.Contains(out+notes, text) {
			p.t.Errorf("%q does not print %q:\n%s%s", args, text, out, notes)
		}
	}
	return out
}

// Each command against a running server, over the admin endpoint, and some with a key.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	s := StartProcess(t, commandSite, "REALTIME_TEST_KEY="+appKey)
	site := "http://" + s.Addr("site") + "/rt"
	p := &program{t: t, path: Program(t), env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "CADDY_ADMIN=" + s.Addr("admin"), "REALTIME_API_KEY=" + appKey}}

	ws, carl := dialAs(t, site, "ann"), dialAs(t, site, "carl")
	send(t, ws, `{"type":"subscribe","payload":{"channel":"chat:1"}}`)
	expect(t, ws, `"presence"`)

	p.want(0, []string{"published at #1"}, "publish", "chat:1", `{"n":1}`)
	p.want(0, []string{"published at #2"}, "publish", "chat:1", "hello", "--url", site, "--key", "key-of-this-message")
	p.want(0, []string{"was published before, at #2"}, "publish", "chat:1", "hello", "--url", site, "--key", "key-of-this-message")
	p.want(0, []string{"published"}, "publish", "chat:1", `"psst"`, "--to", "ann")
	expect(t, ws, `"psst"`)
	p.want(1, []string{"INVALID_CHANNEL"}, "publish", "nowhere", "1")
	p.want(0, []string{"chat:1", "CHANNEL"}, "channels", "chat:")
	p.want(0, []string{"ann", "websocket", "chat:1"}, "connections", "--channel", "chat:1")
	p.want(0, []string{"ann", "127.0.0.1"}, "user", "ann")
	p.want(2, []string{"bob is offline"}, "user", "bob")
	p.want(0, []string{"connections", "ready"}, "stats")
	p.want(0, []string{"allowed"}, "explain", "chat:1")
	p.want(2, []string{"not allowed", "inbox:"}, "explain", "inbox:ann", "--user", "bob")
	p.want(2, []string{"not allowed"}, "explain", "inbox:ann", "--user", "ann", "--action", "publish")
	p.want(2, []string{"not allowed", "forbidden:  by room inbox:{user}"}, "explain", "inbox:*", "--user", "ann")
	p.want(0, []string{"1 connections are subscribed"}, "user", "ann", "--subscribe", "chat:2")
	expect(t, ws, `"chat:2"`)
	p.want(0, []string{"1 connections were unsubscribed"}, "user", "ann", "--unsubscribe", "chat:2")
	p.want(0, []string{"for 10m0s", "at level INFO"}, "follow", "ann")
	send(t, ws, `{"type":"history","payload":{"channel":"chat:1"}}`)
	s.WaitLog(`"user":"ann"`)
	p.want(0, []string{"no more"}, "follow", "ann", "--end")
	p.want(1, []string{"either a user, or a connection"}, "follow")
	p.want(0, []string{"idle"}, "drain", "--status")
	p.want(1, []string{"no hub is named nowhere"}, "drain", "--status", "--hub", "nowhere")
	p.want(0, []string{"hubs", "descriptors", "a page of", "the server sees this machine as 127.0.0.1"}, "doctor", "--site", site)
	p.want(2, []string{"add to the directive: origins"}, "doctor", "--site", site, "--origin", "https://elsewhere.example")
	p.want(3, []string{"can not be reached"}, "channels", "--address", "127.0.0.1:1")
	p.want(1, []string{"the server answered 401"}, "channels", "--url", site, "--key-file", secretFile(t, "wrong"))
	p.tail(s)
	p.bench(site)
	p.want(0, []string{"1 connections closed"}, "kick", "ann", "--reason", "enough")
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			var closed *websocket.CloseError
			if !errors.As(err, &closed) || closed.Text != "enough" {
				t.Errorf("the connection of ann ended with %v", err)
			}
			break
		}
	}
	p.want(0, []string{"default: draining"}, "drain", "1m", "--no-wait")
	p.want(1, []string{"409"}, "drain", "1s")
	p.want(0, []string{"default: cancelled"}, "drain", "--cancel")
	p.want(0, []string{"1 of 1 closed"}, "drain", "1s")
	expect(t, carl, `"type":"reconnect"`)
	p.want(2, []string{"not ready", "drain"}, "doctor")
}

// dialAs connects a user.
func dialAs(t *testing.T, site, user string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(site, "http"), http.Header{"X-User": {user}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

// secretFile writes a file with an API key.
func secretFile(t *testing.T, key string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(name, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// tail follows a channel until a message that is published meanwhile has come, and is
// interrupted then.
func (p *program) tail(s *Process) {
	p.t.Helper()
	c := p.command("tail", "chat:1", "--history", "2")
	pipe, err := c.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	lines := bufio.NewScanner(pipe)
	for _, want := range []string{`{"n":1}`, `"hello"`, "#3"} {
		for lines.Scan() && !strings.Contains(lines.Text(), want) {
		}
		if !strings.Contains(lines.Text(), want) {
			p.t.Errorf("tail ends without %s", want)
		}
		if want == `"hello"` {
			p.want(0, nil, "publish", "chat:1", "3")
		}
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
	for lines.Scan() {
	}
	if err := c.Wait(); err != nil {
		p.t.Errorf("an interrupted tail ends with %v", err)
	}
}

// bench tests the site with a few clients.
func (p *program) bench(site string) {
	p.t.Helper()
	args := []string{"bench", "--url", site, "--channel", "chat:bench", "--connections", "10", "--rate", "50", "--duration", "400ms", "--json"}
	out := p.want(0, nil, args...)
	var r struct{ Connected, Published, Delivered, Missing int }
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Connected != 10 || r.Published != 20 || r.Delivered != 200 || r.Missing != 0 {
		p.t.Errorf("%v: %s", err, out)
	}
	p.want(2, []string{"FORBIDDEN"}, "bench", "--url", site, "--channel", "nowhere", "--connections", "1", "--duration", "1ms")
}

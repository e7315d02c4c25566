package integration

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const recipeKey = "0123456789abcdef0123456789abcdef"

// TestRecipes runs the apps of examples/recipes: log in, subscribe, publish through the app, call
// it, and get what the app publishes when it is notified.
func TestRecipes(t *testing.T) {
	install := express(t) // takes the longest, so that it starts first
	t.Run("Python", func(t *testing.T) {
		recipe(t, "app.caddyfile", "python3", filepath.Join(recipes(), "python.py"))
	})
	t.Run("PHP", func(t *testing.T) {
		recipe(t, "php.caddyfile")
	})
	t.Run("Go", func(t *testing.T) {
		recipe(t, "app.caddyfile", goRecipe(t))
	})
	t.Run("Express", func(t *testing.T) {
		recipe(t, "app.caddyfile", "node", install(t))
	})
}

func recipes() string { return filepath.Join(root(), "examples", "recipes") }

// recipe starts Caddy and an app, and uses both. Without a command the app is PHP.
func recipe(t *testing.T, caddyfile string, command ...string) {
	if len(command) > 0 {
		if _, err := exec.LookPath(command[0]); err != nil {
			t.Skip(command[0] + " is not installed; tools/needs names it")
		}
	}
	text, err := os.ReadFile(filepath.Join(recipes(), caddyfile))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("REALTIME_API_KEY", recipeKey)
	t.Setenv("WEBHOOK_SECRET", HookSecret)
	site := strings.Replace(string(text), "http://localhost:{$PORT:8080}", "http://{{site}}", 1)
	site = regexp.MustCompile(`\{\$APP:.*\}`).ReplaceAllString(site, "{{app}}")
	if len(command) == 0 {
		// PHP needs its environment first, so that Caddy gets another address for it.
		dir := t.TempDir()
		script, err := os.ReadFile(filepath.Join(recipes(), "index.php"))
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("ROOT", dir)
		c := Start(t, strings.Replace(site, "{{app}}", "localhost:1", 1))
		t.Setenv("REALTIME_URL", "http://"+c.Addr("site")+"/rt")
		at := phpApp(t, dir, string(script))
		c.Reload(strings.Replace(site, "{{app}}", at, 1))
		useRecipe(t, c.Addr("site"))
		return
	}
	c := Start(t, site)
	t.Setenv("REALTIME_URL", "http://"+c.Addr("site")+"/rt")
	_, port, err := net.SplitHostPort(c.Addr("app"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("APP_PORT", port)
	var said bytes.Buffer
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the app says: %s", said.String())
		}
	})
	await(t, "127.0.0.1:"+port)
	useRecipe(t, c.Addr("site"))
}

// await waits until an app listens at an address.
func await(t *testing.T, addr string) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return
		}
		if time.Since(start) > 20*time.Second {
			t.Fatal("the app does not listen")
		}
	}
}

// useRecipe is a visitor of a site.
func useRecipe(t *testing.T, site string) {
	t.Helper()
	if _, res, err := websocket.DefaultDialer.Dial("ws://"+site+"/rt", nil); err == nil || res == nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a session: %v, %v", res, err)
	}
	res, err := http.Post("http://"+site+"/login?user=ann", "application/x-www-form-urlencoded", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNoContent || len(res.Cookies()) != 1 {
		t.Fatalf("the login answers %d, %v", res.StatusCode, res.Cookies())
	}
	ws, _, err := websocket.DefaultDialer.Dial("ws://"+site+"/rt", http.Header{"Cookie": {res.Cookies()[0].String()}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	n := &notified{t, ws}
	n.subscribe("chat:1")
	n.subscribe("log")
	hear := func(after string, want ...string) {
		t.Helper()
		var all string
		for !containsAll(all, want) {
			_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, frame, err := ws.ReadMessage()
			if err != nil {
				t.Fatalf("after %s: %v, %s", after, err, all)
			}
			all += string(frame)
		}
	}
	say := func(command string, want ...string) {
		t.Helper()
		if err := ws.WriteMessage(websocket.TextMessage, []byte(command)); err != nil {
			t.Fatal(err)
		}
		hear(command, want...)
	}
	say(`{"type":"message","id":"m","payload":{"channel":"chat:1","content":{"text":"hi"}}}`, `"text":"HI"`, `"by":"ann"`, `ann wrote in chat:1`)
	say(`{"type":"call","id":"c","payload":{"method":"sum","params":[1,2]}}`, `"sum":3`, `"user":"ann"`)
	say(`{"type":"call","id":"d","payload":{"method":"divide"}}`, `NO_SUCH_METHOD`)
	// What the app itself publishes has no sender.
	req, err := http.NewRequest(http.MethodPost, "http://"+site+"/rt/channels/chat:1/messages", strings.NewReader(`{"content":"from the app"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+recipeKey)
	req.Header.Set("Content-Type", "application/json")
	if res, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	hear("a message of the app", `from the app`, `the app wrote in chat:1`)
	res, err = http.Post("http://"+site+"/rt/notify", "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode < 400 {
		t.Errorf("a visitor may notify the app: %d", res.StatusCode)
	}
}

// goRecipe builds the recipe in Go and returns the path of the program. The tests are built with the
// same command, so that it is there.
func goRecipe(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "app")
	if out, err := exec.Command("go", "build", "-o", program, filepath.Join(recipes(), "app.go")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func containsAll(s string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(s, part) {
			return false
		}
	}
	return true
}

// express starts to install what the recipe imports, beside a copy of it. The result waits for
// that, and returns the path of the copy.
func express(t *testing.T) func(*testing.T) string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join(recipes(), "express.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "express.mjs")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	npm := exec.Command("npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts", "express@5.1.0", "standardwebhooks@1.0.0")
	npm.Stdout, npm.Stderr = &said, &said
	if err := npm.Start(); err != nil {
		return func(t *testing.T) string {
			t.Skip("npm is not installed; tools/needs names it")
			return ""
		}
	}
	wait := sync.OnceValue(npm.Wait)
	t.Cleanup(func() { _ = wait() })
	return func(t *testing.T) string {
		if wait() != nil {
			t.Skipf("npm can not install express: %s", said.String())
		}
		return file
	}
}

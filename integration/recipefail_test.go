package integration

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// rejecting is a server that rejects all that is published.
func rejecting(t *testing.T, status int) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// The requests of docs/start.md end with an error that says why, if nothing was published.
func TestStartRecipesFail(t *testing.T) {
	t.Parallel()
	const server = "http://localhost:8080"
	text := pages(t)["docs/start.md"]
	runs := map[string][]string{"php": {"php", "-n"}, "python": {"python3"}, "js": {"node"}}
	tried := 0
	for _, b := range readBlocks("docs/start.md", text) {
		command, ok := runs[b.language]
		if !ok {
			continue
		}
		tried++
		if _, err := exec.LookPath(command[0]); err != nil {
			t.Logf("%s is not installed; tools/needs names it", command[0])
			continue
		}
		file := filepath.Join(t.TempDir(), "app.mjs")
		fails := func(url, key string, says ...string) {
			t.Helper()
			if err := os.WriteFile(file, []byte(strings.ReplaceAll(b.text, server, url)), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(command[0], append(command[1:], file)...)
			cmd.Env = append(os.Environ(), "REALTIME_API_KEY="+key)
			out, err := cmd.CombinedOutput()
			if err == nil || !containsAll(strings.ToLower(string(out)), says) {
				t.Errorf("%s, instead of %q: %v\n%s", b.language, says, err, out)
			}
		}
		away := "http://" + freeport.Addr(t)
		fails(away, recipeKey, "refused")
		fails(rejecting(t, http.StatusUnauthorized), recipeKey, "401")
		fails(rejecting(t, http.StatusForbidden), recipeKey, "403")
		if b.language != "python" { // whose KeyError comes if the variable is not there at all
			fails(away, "", "realtime_api_key is not set")
		}
	}
	if tried != len(runs) {
		t.Errorf("%d blocks were found", tried)
	}
}

// The apps of examples/recipes say which variable is not set. If they cannot publish they log why, and Caddy keeps the
// events that it has sent.
func TestRecipesFail(t *testing.T) {
	install := express(t)
	file := func(name string) func(*testing.T) []string {
		return func(*testing.T) []string { return []string{filepath.Join(recipes(), name)} }
	}
	for name, c := range map[string]struct {
		program []string
		script  func(*testing.T) []string
		refused string // what it says if nobody listens
	}{
		"Python":  {[]string{"python3", "-u"}, file("python.py"), "refused"},
		"Go":      {nil, func(t *testing.T) []string { return []string{goRecipe(t)} }, "refused"},
		"PHP":     {[]string{"php", "-n", "-S", "ADDRESS"}, file("index.php"), "refused"},
		"Express": {[]string{"node"}, func(t *testing.T) []string { return []string{install(t)} }, "ECONNREFUSED"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.program != nil {
				if _, err := exec.LookPath(c.program[0]); err != nil {
					t.Skip(c.program[0] + " is not installed; tools/needs names it")
				}
			}
			command := append(c.program, c.script(t)...)
			for _, missing := range []string{"REALTIME_URL", "REALTIME_API_KEY", "WEBHOOK_SECRET"} {
				a := startRecipe(t, command, "http://127.0.0.1:1/rt", missing)
				if name == "PHP" { // which has no start
					if status := a.notify(t); status != http.StatusInternalServerError {
						t.Errorf("without %s it answers %d", missing, status)
					}
				} else {
					a.fails(t)
				}
				a.says(t, missing+" is not set")
			}
			for says, url := range map[string]string{
				c.refused: "http://" + freeport.Addr(t), "401": rejecting(t, http.StatusUnauthorized), "403": rejecting(t, http.StatusForbidden),
			} {
				a := startRecipe(t, command, url+"/rt", "")
				if status := a.notify(t); status < http.StatusInternalServerError {
					t.Errorf("%s: it answers %d", says, status)
				}
				a.says(t, says)
			}
		})
	}
}

// recipeApp is an app without a Caddy.
type recipeApp struct {
	cmd  *exec.Cmd
	over <-chan struct{}
	addr string
	said *logBuffer
	end  func()
}

// startRecipe starts an app whose environment lacks a variable; "" for none.
func startRecipe(t *testing.T, command []string, url, missing string) *recipeApp {
	t.Helper()
	a := &recipeApp{addr: freeport.Addr(t), said: &logBuffer{grown: make(chan struct{})}}
	args := strings.Split(strings.ReplaceAll(strings.Join(command, "\n"), "ADDRESS", a.addr), "\n")
	a.cmd = exec.Command(args[0], args[1:]...)
	a.cmd.Env = append(os.Environ(), "APP_PORT="+a.addr[strings.LastIndexByte(a.addr, ':')+1:],
		"REALTIME_URL="+url, "REALTIME_API_KEY="+recipeKey, "WEBHOOK_SECRET="+HookSecret, missing+"=")
	if missing == "" {
		a.cmd.Env = a.cmd.Env[:len(a.cmd.Env)-1]
	}
	a.cmd.Stdout, a.cmd.Stderr = a.said, a.said
	var err error
	if a.over, err = spawn.Start(a.cmd, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	a.end = sync.OnceFunc(func() { _ = a.cmd.Process.Kill(); <-a.over })
	t.Cleanup(a.end)
	return a
}

// fails waits until the app has ended with an error.
func (a *recipeApp) fails(t *testing.T) {
	t.Helper()
	select {
	case <-a.over:
		if a.cmd.ProcessState.Success() {
			t.Error("the app ends without an error")
		}
	case <-time.After(startLimit):
		t.Error("the app runs")
	}
}

// notify sends an event, signed as Caddy does, when the app listens. It returns the status; 599 if the app ends the
// connection instead.
func (a *recipeApp) notify(t *testing.T) int {
	t.Helper()
	await(t, a.addr)
	const body = `{"data":{"events":[{"channel":"chat:1","sender":"ann"}]}}`
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(HookSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "event-1.%s.%s", stamp, body)
	r, err := http.NewRequest(http.MethodPost, "http://"+a.addr+"/rt/notify", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "Webhook-Id": {"event-1"}, "Webhook-Timestamp": {stamp},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 599
	}
	res.Body.Close()
	return res.StatusCode
}

// says waits until the app has written a text, and ends it.
func (a *recipeApp) says(t *testing.T, text string) {
	t.Helper()
	if _, ok := a.said.wait(text, startLimit); !ok {
		t.Errorf("instead of %q the app says: %s", text, a.said.take())
	}
	a.end()
}

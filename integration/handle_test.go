package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// handlingApp answers POST /rt/message and POST /rt/call by what is in them.
func handlingApp(t *testing.T) *httptest.Server {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Content, Method string
			Channel, User   string
			ID              string
			Params          json.RawMessage
		}
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || json.Unmarshal(body, &q) != nil || r.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		switch q.Content + q.Method {
		case "change":
			fmt.Fprintf(w, `{ "content": {"by": %q, "cookie": %q, "id": %q}, "event": "saved", "tags": {"n": 1} }`, q.User, r.Header.Get("Cookie"), q.ID)
		case "take":
			w.WriteHeader(http.StatusNoContent)
		case "reject":
			w.WriteHeader(http.StatusConflict)
			io.WriteString(w, `{"code": "OUT_OF_STOCK", "detail": "none left"}`)
		case "forbid":
			w.WriteHeader(http.StatusNotFound)
		case "fail":
			w.WriteHeader(http.StatusBadGateway)
		case "redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "page":
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<p>welcome")
		case "garbled":
			io.WriteString(w, `{"content": `)
		case "endless":
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat(" ", 1<<10)); err != nil {
					return
				}
			}
		case "schema":
			io.WriteString(w, `{"content": 7}`)
		case "hang":
			<-r.Context().Done()
		case "sum":
			fmt.Fprintf(w, `[%q, %s]`, q.User, q.Params)
		}
	}))
	t.Cleanup(app.Close)
	return app
}

const handlingRooms = `
	user {http.request.uri.query.as}
	room chat:* {
		subscribe anyone
		publish users
		schema {{schema}}
		history 10
	}
	room plain {
		publish anyone
		history 10
	}
`

// TestHandleMessage sends messages of users through an app behind reverse_proxy: each answer
// that an app may give, and each that it should not.
func TestHandleMessage(t *testing.T) {
	app := handlingApp(t)
	schema := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(schema, []byte(`{"type": ["string", "object"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := "reverse_proxy " + app.Listener.Addr().String()
	c := Start(t, `
		http://{{site}} {
			realtime /rt {
				`+strings.ReplaceAll(handlingRooms, "{{schema}}", schema)+`
				handle_message chat:* {
					timeout 1s
					max_answer 4KiB
					`+proxy+`
				}
				handle_call {
					timeout 1s
					`+proxy+`
				}
			}
		}
	`)
	base := "http://" + c.Addr("site") + "/rt"
	publish := func(channel, content, more string) (int, string) {
		t.Helper()
		return postAs(t, base+"/channels/"+channel+"/messages?as=ann", fmt.Sprintf(`{"content":%q%s}`, content, more))
	}
	for _, test := range []struct {
		content string
		status  int
		says    string
	}{
		{"as it is", 200, `"offset":1`},
		{"change", 200, `"offset":2`},
		{"take", 200, `{}`},
		{"reject", 409, `"detail":"none left","code":"OUT_OF_STOCK"`},
		{"forbid", 403, `FORBIDDEN`},
		{"fail", 503, `UNAVAILABLE`},
		{"hang", 503, `UNAVAILABLE`},
		{"redirect", 500, `INTERNAL`},
		{"page", 500, `INTERNAL`},
		{"garbled", 500, `INTERNAL`},
		{"endless", 500, `INTERNAL`},
		{"schema", 500, `INTERNAL`},
	} {
		if status, body := publish("chat:1", test.content, `,"key":"`+strings.ReplaceAll(test.content, " ", "-")+`"`); status != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s: %d %s", test.content, status, body)
		}
	}
	if _, body := publish("chat:1", "take", `,"key":"take"`); body != `{"duplicate":true}` {
		t.Errorf("a repeat: %s", body)
	}
	if status, body := publish("plain", "reject", ""); status != 200 {
		t.Errorf("in another room: %d %s", status, body)
	}
	_, page := get(t, base+"/channels/chat:1/messages?as=ann")
	if !strings.Contains(page, `"content":{"by":"ann","cookie":"session=1","id":"change"}`) || !strings.Contains(page, `"event":"saved"`) || !strings.Contains(page, `"tags":{"n":1}`) {
		t.Errorf("the history is %s", page)
	}
	c.WaitLog("the answer of the app can not be used")
	c.WaitLog("the app did not answer")
	if status, body := postAs(t, base+"/call?as=ann", `{"method":"sum","params":[1,2]}`); status != 200 || body != `{"result":["ann",[1,2]]}` {
		t.Errorf("a call: %d %s", status, body)
	}
	if status, body := postAs(t, base+"/call", `{"method":"reject"}`); status != 409 || !strings.Contains(body, "OUT_OF_STOCK") {
		t.Errorf("a rejected call: %d %s", status, body)
	}
}

// postAs posts JSON with a cookie, and returns status and body.
func postAs(t *testing.T, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", "session=1")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// phpApp starts PHP with a script, and returns where it listens.
func phpApp(t *testing.T, root, script string) string {
	t.Helper()
	bin, err := exec.LookPath("php-fpm8.2")
	if err != nil {
		t.Skip("php-fpm8.2 is not installed; tools/needs names it")
	}
	if err := os.WriteFile(filepath.Join(root, "index.php"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	socket, conf := filepath.Join(dir, "php.sock"), filepath.Join(dir, "php.conf")
	text := "[global]\nerror_log = " + dir + "/log\n[www]\nlisten = " + socket + "\npm = static\npm.max_children = 2\nclear_env = no\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-n", "-F", "-R", "-y", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	for range 100 {
		if _, err := os.Stat(socket); err == nil {
			return "unix/" + socket
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("PHP did not start")
	return ""
}

// TestHandleMessageByPHP has an app behind php_fastcgi, in the root of the site.
func TestHandleMessageByPHP(t *testing.T) {
	root := t.TempDir()
	at := phpApp(t, root, `<?php
		$m = json_decode(file_get_contents('php://input'));
		if ($m->content === 'reject') { http_response_code(403); exit; }
		header('Content-Type: application/json');
		echo json_encode(['content' => [$_SERVER['REQUEST_METHOD'], $_SERVER['REQUEST_URI'], $m->user, $m->content]]);
	`)
	c := Start(t, `
		http://{{site}} {
			root * `+root+`
			realtime /rt {
				user {http.request.uri.query.as}
				room chat:* {
					subscribe anyone
					publish users
					history 10
				}
				handle_message chat:* {
					php_fastcgi `+at+`
				}
			}
		}
	`)
	base := "http://" + c.Addr("site") + "/rt/channels/chat:1/messages?as=ann"
	if status, body := postAs(t, base, `{"content":"hi"}`); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	if status, body := postAs(t, base, `{"content":"reject"}`); status != 403 {
		t.Errorf("rejected: %d %s", status, body)
	}
	if _, page := get(t, base); !strings.Contains(page, `"content":["POST","/rt/message","ann","hi"]`) && !strings.Contains(page, `"content":["POST","\/rt\/message","ann","hi"]`) {
		t.Errorf("the history is %s", page)
	}
}

// A handle_message whose channels no room opens is found when the configuration is loaded.
func TestHandleMessageOfNoRoom(t *testing.T) {
	const site = `
		http://{{site}} {
			realtime /rt {
				room chat:*
				handle_message chat:* {
					respond 204
				}
			}
		}
	`
	c := Start(t, site)
	err := c.Load(strings.Replace(site, "handle_message chat", "handle_message news", 1))
	if err == nil || !strings.Contains(err.Error(), "'handle_message news:*' is never used") {
		t.Errorf("the error is %v", err)
	}
}

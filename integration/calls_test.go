package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// TestClientCalls calls an app behind reverse_proxy with the client's entry point for calls, over
// WebSocket and over event streams. What has to be true is said in client/test/calls.mjs.
func TestClientCalls(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed; tools/needs names it")
	}
	var hanging atomic.Int64
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Method string
			Params []int
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		switch q.Method {
		case "sum":
			fmt.Fprintf(w, `{"sum": %d}`, q.Params[0]+q.Params[1])
		case "nothing":
			w.WriteHeader(http.StatusNoContent)
		case "buy":
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"code": "OUT_OF_STOCK", "detail": "none left"}`)
		case "hang":
			hanging.Add(1)
			defer hanging.Add(-1)
			<-r.Context().Done()
		}
	}))
	t.Cleanup(app.Close)
	c := Start(t, `
		http://{{site}} {
			realtime /realtime {
				room chat:* {
					subscribe anyone
				}
				handle_call {
					timeout 500ms
					reverse_proxy `+app.Listener.Addr().String()+`
				}
			}
		}
	`)
	script := filepath.Join(root(), "client", "test", "calls.mjs")
	cmd := exec.CommandContext(t.Context(), "node", "--experimental-websocket", "--no-warnings", script, c.Addr("site"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// The app is told when nobody waits for an answer any more.
	for end := time.Now().Add(5 * time.Second); hanging.Load() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d calls hang in the app", hanging.Load())
		}
	}
}

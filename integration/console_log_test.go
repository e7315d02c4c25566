package integration

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// Text of a client does not reach the terminal of whoever reads the log as controls, in neither
// of Caddy's formats: the format console leaves U+009B, which starts a sequence of controls. net/http rejects the controls of ASCII itself.
func TestConsoleLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	c := StartProcess(t, `
{
	admin {{admin}}
	log console {
		output file `+path+`
		format console
	}
}
http://{{site}} {
	realtime /rt
}
`)
	origin := "http://\u009b31m.example/" + strings.Repeat("x", 1000)
	_, resp, err := websocket.DefaultDialer.Dial("ws://"+c.Addr("site")+"/rt", http.Header{"Origin": {origin}})
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Fatal("a handshake from another origin: ", resp, err)
	}
	c.WaitLog("connection rejected")
	var text string
	for late := time.Now().Add(10 * time.Second); !strings.Contains(text, "connection rejected"); {
		b, err := os.ReadFile(path)
		if text = string(b); time.Now().After(late) {
			t.Fatal("the line is not in the file: ", err)
		}
	}
	if !strings.Contains(text, `"detail": "the origin is `) {
		t.Errorf("the log does not say what decided:\n%s", text)
	}
	if strings.Contains(text, "\u009b") || !strings.Contains(text, `u009b31m`) || strings.Contains(text, strings.Repeat("x", 600)) {
		t.Errorf("the log has\n%s", text)
	}
}

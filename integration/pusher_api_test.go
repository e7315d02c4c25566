package integration

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const pusherSmallSite = `
http://{{site}} {
	realtime /rt {
		pusher my-app {
			key     key-1
			secret  {env.REALTIME_TEST_PUSHER}
			members 2
		}
	}
	respond /users/ann/terminate_connections "of the site"
}
`

func pusherMAC(text string) string {
	mac := hmac.New(sha256.New, []byte("secret-1"))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// pusherCall sends a signed request of the app.
func pusherCall(t *testing.T, c *Caddy, method, path, key string) (int, string) {
	t.Helper()
	sum := md5.Sum(nil)
	query := fmt.Sprintf("auth_key=%s&auth_timestamp=%d&auth_version=1.0&body_md5=%s", key, time.Now().Unix(), hex.EncodeToString(sum[:]))
	answer, text := request(t, method, "http://"+c.Addr("site")+path+"?"+query+"&auth_signature="+pusherMAC(method+"\n"+path+"\n"+query), "")
	return answer.StatusCode, text
}

// A full presence channel takes nobody else, and says so. The paths of Reverb and of the library for
// Python are answered; the site keeps what is not for the app.
func TestPusherLimitsAndPaths(t *testing.T) {
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	c := Start(t, pusherSmallSite)
	join := func(user string) string {
		conn := dialPusher(t, c)
		data := `{"user_id":"` + user + `"}`
		signature := pusherMAC(conn.id + ":presence-x:" + data)
		return conn.ask(fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":"presence-x","auth":"key-1:%s","channel_data":%q}}`, signature, data))
	}
	for _, step := range []struct{ user, want string }{
		{"ann", "subscription_succeeded"}, {"bob", "subscription_succeeded"}, {"eve", "LimitReached"}, {"ann", "subscription_succeeded"},
	} {
		if got := join(step.user); !strings.Contains(got, step.want) {
			t.Errorf("%s: %s", step.user, got)
		}
	}
	for _, method := range []string{"GET", "POST"} {
		if status, text := pusherCall(t, c, method, "/apps/my-app/connections", "key-1"); status != http.StatusOK || strings.TrimSpace(text) != `{"connections":4}` {
			t.Errorf("%s connections: %d %s", method, status, text)
		}
	}
	ann := dialPusher(t, c)
	data := `{"id":"ann"}`
	if got := ann.ask(fmt.Sprintf(`{"event":"pusher:signin","data":{"auth":"key-1:%s","user_data":%q}}`, pusherMAC(ann.id+"::user::"+data), data)); !strings.Contains(got, "signin_success") {
		t.Fatal(got)
	}
	const path = "/users/ann/terminate_connections"
	if _, text := pusherCall(t, c, "POST", path, "other"); text != "of the site" {
		t.Errorf("with the key of nobody: %s", text)
	}
	if status, text := pusherCall(t, c, "POST", path, "key-1"); status != http.StatusOK || strings.TrimSpace(text) != "{}" {
		t.Errorf("terminate: %d %s", status, text)
	}
	if got := ann.ask(""); !strings.Contains(got, "4009") {
		t.Errorf("after that comes %s", got)
	}
}

// pusherConn is a connection of a client without a library.
type pusherConn struct {
	*testing.T
	*websocket.Conn
	id string
}

func dialPusher(t *testing.T, c *Caddy) *pusherConn {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial("ws://"+c.Addr("site")+"/app/key-1?protocol=7", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	p := &pusherConn{T: t, Conn: ws}
	_, p.id, _ = strings.Cut(p.ask(""), `socket_id\":\"`)
	p.id, _, _ = strings.Cut(p.id, `\`)
	return p
}

// ask sends a frame, unless it is empty, and returns the next one that arrives.
func (p *pusherConn) ask(frame string) string {
	p.Helper()
	if frame != "" {
		if err := p.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
			p.Fatal(err)
		}
	}
	_ = p.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, text, err := p.ReadMessage()
	if err != nil {
		p.Fatal(err)
	}
	return string(text)
}

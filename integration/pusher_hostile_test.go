package integration

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// pusherFrames sends frames over a connection of its own and returns what it got until the end: the
// close code, 0 if the connection is still open after the last answer.
func pusherFrames(t *testing.T, url string, frames ...string) (got []string, code int) {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, f := range append(frames, `{"event":"pusher:ping","data":{}}`) {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(f)); err != nil {
			break // closed meanwhile, and the code is read below
		}
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, text, err := conn.ReadMessage()
		if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) {
			return got, closed.Code
		}
		if err != nil {
			t.Fatalf("%v after %q", err, got)
		}
		if strings.Contains(string(text), "pusher:pong") {
			return got, 0
		}
		got = append(got, string(text))
	}
}

// The log says why a client of Pusher is rejected: its page shows little, and the app that signs with a
// wrong secret sees nothing of it.
func TestPusherRejectionsAreLogged(t *testing.T) {
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	c := Start(t, pusherSite)
	base := "ws://" + c.Addr("site") + "/app/"
	for _, test := range []struct{ query, channel, auth, line, detail string }{
		{"nobody?protocol=7", "", "", "connection rejected", "the handshake was answered, and the connection closed with code 4001"},
		{"key-1?protocol=4", "", "", "connection rejected", "the handshake was answered, and the connection closed with code 4007"},
		{"key-1?protocol=7", "private-none", "", "subscription rejected", "the client sent no signature"},
		{"key-1?protocol=7", "private-secret", "key-1:00", "subscription rejected", `the signature is not one of the secret of the key \"key-1\" for this channel, connection and channel_data`},
		{"key-1?protocol=7", "presence-key", "key-2:00", "subscription rejected", `the signature is of the key \"key-2\", which the app \"my-app\" does not have`},
	} {
		pusherFrames(t, base+test.query, fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":%q,"auth":%q}}`, test.channel, test.auth))
		line := c.WaitLog(test.detail)
		if !strings.Contains(line, test.line) || !strings.Contains(line, test.channel) || strings.Contains(line, `"rule"`) {
			t.Errorf("%s %s: %s", test.query, test.channel, line)
		}
	}
}

// Frames that no library sends end at most their own connection, and close codes are those that
// clients act by.
func TestPusherHostile(t *testing.T) {
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	c := Start(t, pusherSite)
	base := "ws://" + c.Addr("site") + "/app/"
	for _, h := range []struct {
		query string
		code  int
	}{
		{"nobody?protocol=7", 4001}, {"key-1?protocol=4", 4007}, {"key-1?protocol=x", 4007}, {"key-1", 4008}, {"key-1?protocol=7", 0},
	} {
		got, code := pusherFrames(t, base+h.query)
		if code != h.code {
			t.Errorf("%s: closed with %d, not %d", h.query, code, h.code)
		}
		if h.code != 0 && (len(got) != 1 || !strings.Contains(got[0], fmt.Sprintf(`{"event":"pusher:error","data":{"code":%d,`, h.code))) {
			t.Errorf("%s: %q", h.query, got)
		}
	}
	url := base + "key-1?protocol=7&client=js"
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for frame, want := range map[string]string{
		``:                             `"code":4200`,
		`x`:                            `"code":4200`,
		`null`:                         `"code":4200`,
		`[]`:                           `"code":4200`,
		`{"event":1}`:                  `"code":4200`,
		`{"event":"pusher:unknown"}`:   `"code":4200`,
		`{"event":"pusher:subscribe"}`: `"code":4200`,
		`{"event":"pusher:subscribe","data":null}`:                                           `"code":4200`,
		`{"event":"pusher:subscribe","data":"{"}`:                                            `"code":4200`,
		`{"event":"pusher:subscribe","data":{"channel":1}}`:                                  `"code":4200`,
		`{"event":"pusher:subscribe","data":{"channel":""}}`:                                 `"code":4200`,
		`{"event":"pusher:subscribe","data":{"channel":"a b"}}`:                              `"code":4200`,
		`{"event":"pusher:subscribe","data":{"channel":"a*"}}`:                               `"code":4200`,
		`{"event":"pusher:subscribe","data":{"channel":"` + strings.Repeat("x", 201) + `"}}`: `"code":4200`,
		`{"event":"pusher:subscribe","data":{"channel":"private-x"}}`:                        `"status":401`,
		`{"event":"pusher:subscribe","data":{"channel":"presence-x","auth":"key-1:00"}}`:     `"status":401`,
		`{"event":"pusher:subscribe","data":{"channel":"#server-to-user-1"}}`:                `"status":401`,
		`{"event":"pusher:subscribe","data":{"channel":"#server-to-user-"}}`:                 `"code":4200`,
		`{"event":"pusher:unsubscribe","data":[]}`:                                           `"code":4200`,
		`{"event":"client-x","channel":"private-x","data":1}`:                                `"code":4301`,
		`{"event":"client-x","channel":"news","data":1}`:                                     `"code":4301`,
		`{"event":"x","channel":"news","data":1}`:                                            `"code":4200`,
		`{"event":"client-x","channel":"private-x","data":` + deep + `}`:                     `"code":4`,
	} {
		got, code := pusherFrames(t, url, frame)
		if code != 0 || len(got) != 2 || !strings.Contains(got[1], want) {
			t.Errorf("%.80s: %q, closed with %d", frame, got, code)
		}
	}
	for _, frame := range []string{`{"event":"pusher:signin","data":{"auth":"key-1:00","user_data":"{\"id\":\"1\"}"}}`, `{"event":"pusher:signin","data":{}}`} {
		if _, code := pusherFrames(t, url, frame); code != 4009 {
			t.Errorf("%s: closed with %d", frame, code)
		}
	}
	flood := make([]string, 2000)
	for i := range flood {
		flood[i] = `{"event":"x"}`
	}
	if _, code := pusherFrames(t, url, flood...); code != 4100 {
		t.Errorf("a flood: closed with %d", code)
	}
}

// The key is in every page, so a request with it and without a signature costs little: its query is
// bounded, and its body counts for its sender.
func TestPusherUnsigned(t *testing.T) {
	c := Start(t, `
http://{{site}} {
	realtime /rt {
		limits {
			request_memory_per_ip 100KiB
		}
		pusher my-app {
			key    key-1
			secret secret-1
		}
	}
}
`)
	c.WaitLog("a secret of 'pusher' stands in the configuration itself")
	url := "http://" + c.Addr("site") + "/apps/my-app/events?auth_key=key-1"
	post := func(url string, body io.Reader) int {
		t.Helper()
		resp, err := http.Post(url, "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if status := post(url+strings.Repeat("&a[]=", 4000), nil); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a long query: status %d", status)
	}
	if status := post(url, strings.NewReader(strings.Repeat("x", 80<<10))); status != http.StatusUnauthorized {
		t.Errorf("a body without a signature: status %d", status)
	}
	stuck, send := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		post(url, stuck)
	}()
	if _, err := send.Write(make([]byte, 80<<10)); err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(10 * time.Second); post(url, strings.NewReader(strings.Repeat("x", 20<<10))) != http.StatusTooManyRequests; {
		if time.Now().After(late) {
			t.Fatal("a stuck body does not count for its sender")
		}
	}
	send.Close()
	<-ended
	if status := post(url, strings.NewReader("x")); status != http.StatusUnauthorized {
		t.Errorf("after the stuck body: status %d", status)
	}
}

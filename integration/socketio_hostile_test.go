package integration

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const narrowIOSite = `
http://{{site}} {
	realtime /rt {
		limits {
			message_size 4KiB
		}
		room io:* {
			subscribe anyone
			publish anyone
		}
		socketio {
			on "chat message" all
			on "with ack" ack
			origins https://app.example.com
		}
	}
}
`

// TestSocketIOHostile sends what no client sends. It ends at most the session from which it comes: another
// client is connected all the time.
func TestSocketIOHostile(t *testing.T) {
	c := Start(t, narrowIOSite)
	site := c.Addr("site")
	witness := mustOpenIO(t, site, "websocket")
	hostileHandshakes(t, site)
	c.WaitLog("https://evil.example.com") // rejections are logged as those of native clients are
	hostilePolls(t, site)
	hostileFrames(t, site)
	hostileUpgrades(t, site)
	if err := witness.echo(); err != nil {
		t.Errorf("the witness: %v", err)
	}
}

func mustOpenIO(t *testing.T, site, transport string) *rawIO {
	t.Helper()
	c, err := openRawIO(site, transport)
	if err != nil {
		t.Fatal(transport, err)
	}
	t.Cleanup(c.close)
	if c.ws != nil {
		_ = c.ws.SetReadDeadline(time.Now().Add(20 * time.Second))
	}
	return c
}

func hostileHandshakes(t *testing.T, site string) {
	t.Helper()
	base := "http://" + site + "/socket.io/?"
	for _, h := range []struct {
		method, query, origin string
		status, code          int
	}{
		{"GET", "", "", 400, 0},
		{"GET", "EIO=4", "", 400, 0},
		{"GET", "EIO=4&transport=webtransport", "", 400, 0},
		{"GET", "EIO=4&transport=polling%00", "", 400, 0},
		{"GET", "EIO=4&transport=polling&sid=", "", 400, 1},
		{"GET", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA", "", 400, 1},
		{"GET", "EIO=4&transport=polling&sid=" + strings.Repeat("x", 4000), "", 400, 1},
		{"POST", "EIO=4&transport=polling&sid=../../x", "", 400, 1},
		{"POST", "EIO=4&transport=polling", "", 400, 2},
		{"DELETE", "EIO=4&transport=polling", "", 400, 2},
		{"GET", "EIO=4&transport=websocket", "", 400, 3},
		{"GET", "EIO=3&transport=polling", "", 400, 5},
		{"GET", "EIO=5&transport=polling", "", 400, 5},
		{"GET", "transport=polling", "", 400, 5},
		{"GET", "EIO=4&transport=polling", "https://evil.example.com", 403, 4},
		{"GET", "EIO=4&transport=polling", "null", 403, 4},
	} {
		var headers []string
		if h.origin != "" {
			headers = []string{"Origin", h.origin}
		}
		res, text := request(t, h.method, base+h.query, "", headers...)
		if res.StatusCode != h.status || !strings.HasPrefix(text, fmt.Sprintf(`{"code":%d,`, h.code)) {
			t.Errorf("%s %.80s %s: %d %s", h.method, h.query, h.origin, res.StatusCode, text)
		}
		if res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may read the answer", h.origin)
		}
	}
	for query, status := range map[string]int{"EIO=3&transport=websocket": 400, "EIO=4&transport=websocket&sid=x": 400, "EIO=4&transport=polling": 400} {
		_, res, err := websocket.DefaultDialer.Dial("ws://"+site+"/socket.io/?"+query, nil) //nolint:bodyclose // the library has read it
		if err == nil || res == nil || res.StatusCode != status {
			t.Errorf("a WebSocket with %s: %v", query, err)
		}
	}
}

// echo shows that the session goes on.
func (c *rawIO) echo() error {
	if err := c.write(`421["with ack",1]`); err != nil {
		return err
	}
	for range 10 { // pings and noops may come before
		if got, err := c.read(); err != nil || got[len(got)-1] == "431[1]" {
			return err
		}
	}
	return errors.New("no acknowledgement")
}

// end polls until the session has ended.
func (c *rawIO) end() error {
	for range 10 {
		status, text, err := c.request(http.MethodGet, "")
		switch {
		case err != nil:
			return err
		case status == http.StatusBadRequest && strings.HasPrefix(text, `{"code":1,`):
			return nil
		case status != http.StatusOK:
			return fmt.Errorf("%d %s", status, text)
		}
	}
	return errors.New("the session goes on")
}

func hostilePolls(t *testing.T, site string) {
	t.Helper()
	for name, body := range map[string]string{
		"empty": "", "storm of separators": strings.Repeat(packetSeparator, 4000), "a separator at the end": "40" + packetSeparator,
		"bad base64": "b%%%", "base64 unasked": "bAAAA", "a binary packet before its header": "bAAAA" + packetSeparator + `451-["x",{"_placeholder":true,"num":0}]`,
		"a ping": "2", "an upgrade": "5", "a probe": "2probe", "type 9": "9", "version 3": "2:40", "no UTF-8": "42[\"\xff\"]",
		"JSON of no array": `42{"a":1}`, "deep": "42" + strings.Repeat("[", 1000) + strings.Repeat("]", 1000), "a reserved event": `42["disconnect"]`,
		"11 attachments": `4511-["x"]`, "a placeholder without attachment": `451-["x",{"_placeholder":true,"num":7}]` + packetSeparator + "bAAAA",
		"connected twice": "40", "a namespace not joined": `42/admin,["x"]`, "a storm of connects": strings.Repeat("40"+packetSeparator, 1000) + "40",
	} {
		c := mustOpenIO(t, site, "polling")
		status, text, err := c.request(http.MethodPost, body)
		if err != nil || status != http.StatusOK && status != http.StatusBadRequest {
			t.Errorf("%s: %d %s %v", name, status, text, err)
		}
		if err := c.end(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	large := mustOpenIO(t, site, "polling")
	if status, text, err := large.request(http.MethodPost, `42["chat message","`+strings.Repeat("x", 5000)+`"]`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d %s %v", status, text, err)
	}
	if err := large.echo(); err != nil {
		t.Errorf("after a body that is too large: %v", err)
	}
	twice := mustOpenIO(t, site, "polling")
	answers := make(chan int, 2)
	for range 2 {
		go func() {
			status, _, _ := twice.request(http.MethodGet, "")
			answers <- status
		}()
	}
	if a, b := <-answers, <-answers; a+b != http.StatusOK+http.StatusBadRequest {
		t.Errorf("two polls at once: %d and %d", a, b)
	}
	if err := twice.end(); err != nil {
		t.Errorf("two polls at once: %v", err)
	}
	foreign := mustOpenIO(t, site, "polling")
	res, text := request(t, "GET", "http://"+foreign.query("polling"), "", "Origin", "https://evil.example.com")
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("the poll of another origin: %d %s", res.StatusCode, text)
	}
	if err := foreign.echo(); err != nil {
		t.Errorf("after the poll of another origin: %v", err)
	}
}

func hostileFrames(t *testing.T, site string) {
	t.Helper()
	for name, frame := range map[string]string{
		"empty": "", "a ping": "2", "a probe": "2probe", "several packets": "42[\"x\"]" + packetSeparator + "42[\"x\"]", "type 9": "9", "no type": "4",
		"a type of Socket.IO that is none": "47", "JSON of no array": `42{"a":1}`, "connected twice": "40", "an error of the client": `44{"message":"x"}`,
		"a deep array": "42" + strings.Repeat("[", 1000) + strings.Repeat("]", 1000), "too large": `42["chat message","` + strings.Repeat("x", 5000) + `"]`,
		"an endless id": "42" + strings.Repeat("9", 400) + `["with ack"]`, "more attachments than allowed": `4511-["x"]`, "no placeholder": `451-["x",{"_placeholder":true,"num":-1}]`,
	} {
		c := mustOpenIO(t, site, "websocket")
		if err := c.write(frame, `42["with ack",1]`, `42["with ack",1]`); err != nil {
			continue // closed meanwhile
		}
		for {
			got, err := c.read()
			if err == nil && (strings.HasPrefix(got[0], "43") || strings.HasPrefix(got[0], "42")) {
				t.Errorf("%s: the connection goes on: %q", name, got)
				break
			}
			if err != nil {
				if _, closed := errors.AsType[*websocket.CloseError](err); !closed {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
		}
	}
}

// hostileUpgrades are WebSockets with the sid of a session that polls. The session goes on, or ends; nobody
// gets another one's.
func hostileUpgrades(t *testing.T, site string) {
	t.Helper()
	for name, frames := range map[string][]string{"an upgrade without a probe": {"5"}, "a message": {`42["x"]`}, "a probe twice and a message": {"2probe", "2probe", `42["x"]`}} {
		polls := mustOpenIO(t, site, "polling")
		socket := *polls
		if err := socket.dial("https://app.example.com"); err != nil {
			t.Fatal(err)
		}
		_ = socket.write(frames...) // an error is the end that is waited for
		for {
			if _, err := socket.read(); err != nil {
				break
			}
		}
		if err := polls.echo(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	polls := mustOpenIO(t, site, "polling")
	stranger := *polls
	if err := stranger.dial("https://evil.example.com"); err == nil {
		t.Error("a WebSocket of another origin takes a session over")
	}
	up := mustOpenIO(t, site, "upgrade")
	socket := up.ws
	up.ws = nil
	if status, text, err := up.request(http.MethodGet, ""); status != http.StatusBadRequest || !strings.HasPrefix(text, `{"code":3,`) {
		t.Errorf("a poll after the upgrade: %d %s %v", status, text, err)
	}
	up.ws = socket
	if err := up.echo(); err != nil {
		t.Errorf("after a poll behind the upgrade: %v", err)
	}
}

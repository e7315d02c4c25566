package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

var closeChecks = []Check{
	{"a close of the client is answered with its code", "Close codes", nil, func(r *run) {
		c := r.open()
		c.must(c.write(opClose, []byte{1000 >> 8, 1000 & 0xff}))
		c.wantClose(1000)
	}},
	{"broken framing closes with 1002", "Close codes", nil, func(r *run) {
		unmasked := append([]byte{0x80 | opText, 15}, `{"type":"ping"}`...)
		for what, bytes := range map[string][]byte{
			"a frame without a mask":        unmasked,
			"a reserved bit":                masked(0x80|0x20|opText, []byte(`{"type":"ping"}`)),
			"an opcode that does not exist": masked(0x80|3, nil),
			"a ping of 126 bytes":           masked(0x80|opPing, make([]byte, 126)),
			"a ping in fragments":           masked(opPing, nil),
			"a fragment without a message":  masked(0x80, nil),
			"a close with half a code":      masked(0x80|opClose, []byte{3}),
			"a close with 1006":             masked(0x80|opClose, []byte{1006 >> 8, 1006 & 0xff}),
		} {
			c := r.open()
			c.must(c.raw(bytes))
			c.wantCloseAfter(1002, what)
		}
	}},
	{"a client that keeps sending what is rejected is closed with 1008", "Close codes", nil, func(r *run) {
		c := r.open()
		for range 10_000 {
			if c.write(opText, []byte(`{"type":`)) != nil {
				break // the server has closed
			}
			text, err := c.message()
			if err == nil {
				decode(text).want("code", "INVALID_JSON")
				continue
			}
			if end, ok := errors.AsType[closed](err); !ok || end.Code != 1008 {
				fail("waited for a close with 1008: %v", err)
			}
			return
		}
		fail("waited for a close with 1008: the server took 10,000 frames that are not JSON")
	}},
	{"a frame that is too large closes with 1009", "Close codes", nil, func(r *run) {
		c := r.open()
		sent := make(chan struct{})
		go func() { // the server need not read all of it
			defer close(sent)
			_ = c.frame(0x80|opText, bytes.Repeat([]byte(" "), maxMessage))
		}()
		defer func() { c.close(); <-sent }()
		c.wantClose(1009)
	}},
	{"another version of the protocol closes with 4400", "Close codes", nil, func(r *run) {
		c := r.openWith(http.Header{"Sec-Websocket-Protocol": {"realtime.v999"}})
		c.wantClose(4400)
	}},
	{"a connection that the app disconnects is closed with 4403", "Close codes", []need{needKey}, func(r *run) {
		c := r.open()
		r.admin("DELETE", "/connections/"+url.PathEscape(c.id()), nil)
		c.wantClose(4403)
	}},
	{"a user whose tokens are revoked is closed with 4401", "Close codes", []need{needSecret, needKey}, func(r *run) {
		name := unique()
		c := r.user(name)
		r.admin("POST", "/revocations", object{"user": name})
		c.wantClose(4401)
	}},
	{"a connection too many is rejected, and a stream is told to come again", "Event streams",
		[]need{needConnections, needRoom(Plain)}, func(r *run) {
			for range r.target.Connections {
				r.open()
			}
			r.tooMany()
			a := r.streamAnswer(url.Values{"channel": {r.channel(Plain)}})
			text, _ := io.ReadAll(a.Body) // what came before the end
			if a.StatusCode != 200 || !strings.Contains(string(text), "retry:") || strings.Contains(string(text), "connected") {
				fail("a stream too many is answered with %s and %q, not with a retry line alone", a.Status, text)
			}
		}},
	{"the server sends heartbeats over WebSocket", "Liveness", nil, func(r *run) {
		c := r.open()
		c.timeout = r.patience(c.heartbeat()*3/2, "the server's heartbeat is "+c.heartbeat().String())
		for end := time.Now().Add(c.timeout); c.pings == 0; {
			if _, _, err := c.receiveUntil(end); err != nil {
				fail("waited for a ping of the server: %v", err)
			}
		}
	}},
	{"a client that answers no pings is closed with 4501", "Close codes", nil, func(r *run) {
		c := r.open()
		c.mute = true
		c.timeout = r.patience(c.heartbeat()*3, "the server's heartbeat is "+c.heartbeat().String())
		c.wantClose(4501)
	}},
}

// tooMany opens a connection that the server has no place for. It may reject the handshake, or
// close the connection at once.
func (r *run) tooMany() {
	c, err := r.dial(nil)
	if rejected, ok := errors.AsType[rejectedHandshake](err); ok {
		if rejected.status != 429 && rejected.status != 503 {
			fail("a connection too many: %v", err)
		}
		return
	}
	if err != nil {
		fail("no connection: %v", err)
	}
	c.wantClose(1013)
}

// wantCloseAfter is wantClose, and says what the client had done.
func (c *client) wantCloseAfter(code uint16, what string) {
	for {
		_, err := c.message()
		if end, ok := errors.AsType[closed](err); err != nil && (!ok || end.Code != code) {
			fail("after %s, waited for a close with %d: %v", what, code, err)
		} else if err != nil {
			return
		}
	}
}

// receiveUntil reads one frame, answers a ping, and waits no longer than to a time.
func (s *socket) receiveUntil(end time.Time) (first byte, payload []byte, err error) {
	if first, payload, err = s.receive(end); err == nil && first&0x0f == opPing {
		s.pings++
		err = s.write(opPong, payload)
	}
	return first, payload, err
}

// admin sends a request with the API key that succeeds.
func (r *run) admin(method, path string, body any) {
	if a := r.request(method, path, body, "Authorization", "Bearer "+r.target.Key); a.StatusCode/100 != 2 {
		fail("%s %s with the API key: %s", method, path, a.Status)
	}
}

// goneChecks send clients away, and the server with them, so they come last.
var goneChecks = []Check{
	{"a configuration that is gone closes with 4502", "Close codes", []need{needReplace}, func(r *run) {
		c := r.open()
		if err := r.target.Replace(); err != nil {
			panic(absence("the command of --replace failed: " + err.Error()))
		}
		c.wantClose(4502)
	}},
	{"a server that goes away says reconnect, and closes with 1012", "Close codes", []need{needDrain, needRoom(Plain)}, func(r *run) {
		channel := r.channel(Plain)
		c, s := r.open(), r.stream(url.Values{"channel": {channel}})
		s.until("subscribed")
		if err := r.target.Drain(); err != nil {
			panic(absence("the command of --drain failed: " + err.Error()))
		}
		c.timeout = r.target.Patience
		e := c.expect("reconnect")
		if reason, _ := e.Payload["reason"].(string); reason == "" || e.Payload.number("after") < 0 {
			fail("%s has no reason or no time", e)
		}
		c.wantClose(1012)
		ended(s, 1012, true)
	}},
}

// ended reads up to the end of a stream, which has to have a code.
func ended(s *stream, code int, reconnect bool) {
	e := decode([]byte(s.until("close").data)).want("code", code, "reconnect", reconnect)
	if reason, _ := e.Payload["reason"].(string); reason == "" {
		fail("%s has no reason", e)
	}
}

// problem checks that a request is rejected with a status and a code.
func (r *run) problem(a *http.Response, status int, code string) {
	var p object
	err := json.NewDecoder(a.Body).Decode(&p)
	if a.StatusCode != status || err != nil || p["code"] != code || !strings.Contains(a.Header.Get("Content-Type"), "json") {
		fail("%s %s is answered with %s and the code %v, not with %d and %s", a.Request.Method, a.Request.URL.Path, a.Status, p["code"], status, code)
	}
}

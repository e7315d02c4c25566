package drills

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/gorilla/websocket"
)

// survivedOffences are answered with an error. All of a round come over one
// connection, which lives on.
func survivedOffences() (rows []offence) {
	for _, o := range []struct{ name, want, frame string }{
		{"an empty frame", "INVALID_JSON", ""},
		{"no JSON", "INVALID_JSON", "hello"},
		{"JSON that ends too soon", "INVALID_JSON", `{"type":"ping"`},
		{"JSON with something behind", "INVALID_JSON", `{"type":"ping"} {}`},
		{"an array", "INVALID_MESSAGE", `["ping"]`},
		{"no type", "INVALID_MESSAGE", `{"payload":{}}`},
		{"a type that is a number", "INVALID_MESSAGE", `{"type":1}`},
		{"an unknown type", "UNKNOWN_TYPE", `{"type":"dance"}`},
		{"no channel", "INVALID_MESSAGE", `{"type":"subscribe","payload":{}}`},
		{"a channel of 256 bytes", "INVALID_CHANNEL", `{"type":"subscribe","payload":{"channel":"open:` + strings.Repeat("x", 251) + `"}}`},
		{"a channel with a control character", "INVALID_CHANNEL", `{"type":"subscribe","payload":{"channel":"open:\u0007"}}`},
		{"a channel of no room", "FORBIDDEN", `{"type":"subscribe","payload":{"channel":"secret"}}`},
		{"a channel for users", "UNAUTHORIZED", `{"type":"subscribe","payload":{"channel":"users:1"}}`},
		{"publishing where only the app may", "FORBIDDEN", `{"type":"message","payload":{"channel":"users:1","content":1}}`},
	} {
		rows = append(rows, offence{o.name, o.want, func(a *abuse) string { return a.say(o.frame) }})
	}
	return append(rows, offence{"after all of that, a ping", "pong", func(a *abuse) string {
		ev, err := a.talker.call("ping", struct{}{})
		if err != nil {
			return err.Error()
		}
		return ev.Type
	}})
}

// say sends a frame and gives the code of the error.
func (a *abuse) say(frame string) string {
	if err := a.talker.write(websocket.TextMessage, []byte(frame)); err != nil {
		return err.Error()
	}
	ev, err := a.talker.await("error")
	if err != nil {
		return err.Error()
	}
	return ev.code()
}

// fatalOffences end their connection.
func fatalOffences() []offence {
	text := func(frames ...string) func(*abuse) string {
		return func(a *abuse) string { return a.provoke(websocket.TextMessage, frames...) }
	}
	return []offence{
		{"a frame of more than 4 KiB", "closed with 1009", text(strings.Repeat(" ", 4097))},
		{"text that is not UTF-8", "closed with 1007", func(a *abuse) string { return a.provoke(websocket.TextMessage, "{\"type\":\"\xff\"}") }},
		{"a binary frame", "closed with 1003", func(a *abuse) string { return a.provoke(websocket.BinaryMessage, `{"type":"ping"}`) }},
		{"2,000 commands at once, of 20", "RATE_LIMITED, closed with 1008", func(a *abuse) string { return a.flood(2000) }},
		{"21 errors at once", "INVALID_JSON, closed with 1008", text(make([]string, 21)...)},
		{"a frame that never ends", "cut off by itself", cutFrame},
	}
}

// provoke sends frames over a connection of its own.
func (a *abuse) provoke(kind int, frames ...string) string {
	return a.outcome(func(c *wsClient) error {
		for _, f := range frames {
			if err := c.write(kind, []byte(f)); err != nil {
				return err
			}
		}
		return nil
	})
}

// flood sends commands in one piece. With each that is refused comes a pause of 4 ms,
// in which two of the 20 come back, and on a busy machine all of them: so it takes 81
// to some hundred commands until the 21st is refused, which is one too many.
func (a *abuse) flood(commands int) string {
	command := `{"type":"ping"}`
	frame := append([]byte{0x81, 0x80 | byte(len(command)), 0, 0, 0, 0}, command...) // an empty mask
	return a.outcome(func(c *wsClient) error {
		_, err := c.conn.NetConn().Write(bytes.Repeat(frame, commands))
		return err
	})
}

// outcome has something sent over a connection of its own, reads until that is closed,
// and gives the code of the first error, if there was one, and that of the close.
func (a *abuse) outcome(send func(*wsClient) error) string {
	c := subscribed(a)
	defer c.close()
	first := ""
	c.other = func(ev envelope) {
		if first == "" && ev.code() != "" {
			first = ev.code() + ", "
		}
	}
	_ = send(c) // an error means that it is closed meanwhile, which is read below
	code, text := c.closed()
	if code == 0 {
		return first + text
	}
	return fmt.Sprintf("%sclosed with %d", first, code)
}

// subscribed is a connection that is in a room.
func subscribed(a *abuse) *wsClient {
	c, err := openWS(dialer(), a.base, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	if ev, err := c.call("subscribe", map[string]string{"channel": "open:1"}); err != nil || ev.Type != "subscribed" {
		a.t.Fatal(ev, err)
	}
	return c
}

// cutFrame begins a frame and drops the connection in the middle of it.
func cutFrame(a *abuse) string {
	c := subscribed(a)
	defer c.close()
	if _, err := c.conn.NetConn().Write([]byte{0x81, 0x80 | 126, 0x08, 0x00, 0, 0, 0, 0, '{'}); err != nil {
		return err.Error()
	}
	return "cut off by itself"
}

// requestOffences do not get as far as a connection.
func requestOffences() []offence {
	from := func(origin string) func(*abuse) string {
		return func(a *abuse) string {
			c, err := openWS(dialer(), a.base, http.Header{"Origin": {origin}})
			if err == nil {
				c.close()
				return "let in"
			}
			_, status, _ := strings.Cut(err.Error(), "handshake: ")
			return status
		}
	}
	stream := func(query string) func(*abuse) string {
		return func(a *abuse) string { return a.ask(http.MethodGet, query, "text/event-stream", "", "") }
	}
	post := func(path, body, key string) func(*abuse) string {
		return func(a *abuse) string { return a.ask(http.MethodPost, path, "", body, key) }
	}
	return []offence{
		{"a page of another origin", "403 Forbidden", from("https://evil.example")},
		{"a page of no origin", "403 Forbidden", from("null")},
		{"a stream of nothing", "400 Bad Request", stream("")},
		{"a stream of no room", "403 Forbidden", stream("?channel=secret")},
		{"a stream from a wrong cursor", "200 OK", stream("?channel=open:1&lastEventId=nonsense")},
		{"a wrong API key", "401 Unauthorized", post("/publish", "[]", "wrong")},
		{"a body that is no JSON", "400 Bad Request", post("/channels/open:1/messages", "{", "")},
		{"a content of more than 4 KiB", "413 Request Entity Too Large", post("/channels/open:1/messages", `{"content":"`+strings.Repeat("x", 4097)+`"}`, appKey)},
		{"a path that is none", "404 Not Found", post("/nothing", "", "")},
	}
}

// ask gives the status of an answer.
func (a *abuse) ask(method, path, accept, body, key string) string {
	r, err := http.NewRequest(method, a.base+path, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Content-Type", "application/json")
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := a.web.client.Do(r)
	if err != nil {
		return err.Error()
	}
	_ = res.Body.Close()
	return res.Status
}

// awaitCut reads until the server cuts a connection, and gives what it said before.
func awaitCut(conn net.Conn) (said string, err error) {
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if said += line; err != nil {
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				return said, err
			}
			return said, nil
		}
	}
}

package drills

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// patience is how long a client waits for what has to come. It only decides how
// long a failing test takes.
const patience = 30 * time.Second

// wsClient is a WebSocket connection. One goroutine reads, any may send.
type wsClient struct {
	conn  *websocket.Conn
	hello envelope // `connected`

	// Owned by the reader.
	frame bytes.Buffer // the latest one
	calls int
	other func(envelope) // gets what call passes by; nil: it is dropped

	writing sync.Mutex
}

// wsURL makes the URL of a WebSocket of one that begins with http.
func wsURL(url string) string { return "ws" + strings.TrimPrefix(url, "http") }

// openWS connects to a URL that begins with http, and reads `connected`.
func openWS(d *websocket.Dialer, url string, h http.Header) (*wsClient, error) {
	conn, res, err := d.Dial(wsURL(url), h)
	if err != nil {
		if res != nil {
			err = fmt.Errorf("%w: %s", err, res.Status)
		}
		return nil, err
	}
	c := &wsClient{conn: conn}
	if c.hello, err = c.next(); err != nil || c.hello.Type != "connected" {
		c.close()
		return nil, fmt.Errorf("the first frame was %v, %w", c.hello, err)
	}
	return c, nil
}

// dialWS is openWS for tests that need the connection; it ends with the test.
func dialWS(t testing.TB, url string, h http.Header) *wsClient {
	t.Helper()
	c, err := openWS(dialer(), url, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}

func dialer() *websocket.Dialer { return &websocket.Dialer{HandshakeTimeout: patience} }

// close drops the connection without a word.
func (c *wsClient) close() { _ = c.conn.Close() }

// next reads one envelope, however long that takes.
func (c *wsClient) next() (envelope, error) {
	_, in, err := c.conn.NextReader()
	if err != nil {
		return envelope{}, err
	}
	c.frame.Reset()
	if _, err := c.frame.ReadFrom(in); err != nil {
		return envelope{}, err
	}
	return decode(c.frame.Bytes())
}

// soon is next with an end.
func (c *wsClient) soon() (envelope, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	return c.next()
}

// await reads until an envelope of this type comes.
func (c *wsClient) await(kind string) (envelope, error) {
	for {
		ev, err := c.soon()
		if err != nil {
			return ev, fmt.Errorf("waiting for %q: %w", kind, err)
		}
		if ev.Type == kind {
			return ev, nil
		}
		c.pass(ev)
	}
}

func (c *wsClient) pass(ev envelope) {
	if c.other != nil {
		c.other(ev)
	}
}

// send sends a command; without an id when that is empty.
func (c *wsClient) send(kind, id string, payload any) error {
	frame := map[string]any{"type": kind, "payload": payload}
	if id != "" {
		frame["id"] = id
	}
	text, err := json.Marshal(frame)
	if err != nil {
		return err
	}
	return c.write(websocket.TextMessage, text)
}

func (c *wsClient) write(kind int, data []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
	return c.conn.WriteMessage(kind, data)
}

// call sends a command and reads until its reply comes.
func (c *wsClient) call(kind string, payload any) (envelope, error) {
	c.calls++
	id := "call" + strconv.Itoa(c.calls)
	if err := c.send(kind, id, payload); err != nil {
		return envelope{}, err
	}
	for {
		ev, err := c.soon()
		if err != nil || ev.ID == id {
			return ev, err
		}
		c.pass(ev)
	}
}

// closed reads to the end of the connection and gives the code of its close frame;
// 0 if there was none.
func (c *wsClient) closed() (code int, text string) {
	for {
		ev, err := c.soon()
		if err == nil {
			c.pass(ev)
			continue
		}
		if end, ok := errors.AsType[*websocket.CloseError](err); ok && end.Code != websocket.CloseAbnormalClosure {
			return end.Code, end.Text
		}
		return 0, err.Error()
	}
}

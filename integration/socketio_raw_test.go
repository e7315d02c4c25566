package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// rawIO is a client of Socket.IO that can send what no library sends. Its polls come on new
// connections, as those of Node do. Nothing is repeated after an error.
type rawIO struct {
	site string
	sid  string // empty: a WebSocket from the start
	http *http.Client
	ws   *websocket.Conn // nil: it polls
}

const packetSeparator = "\x1e"

// openRawIO connects to the namespace `/`, by "polling", "websocket", or "upgrade" from one to the other.
func openRawIO(site, transport string) (*rawIO, error) {
	c := &rawIO{site: site, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}}
	err := c.handshake(transport)
	if err == nil {
		err = c.write("40")
	}
	for err == nil {
		var packets []string
		if packets, err = c.read(); err == nil && strings.HasPrefix(packets[0], "40") {
			break
		}
	}
	if err == nil && transport == "upgrade" {
		err = c.upgrade()
	}
	return c, err
}

func (c *rawIO) handshake(transport string) error {
	if transport == "websocket" {
		return c.dial("")
	}
	packets, err := c.read()
	if err != nil {
		return err
	}
	if _, err := fmt.Sscanf(packets[0], `0{"sid":%q`, &c.sid); err != nil {
		return fmt.Errorf("%q: %w", packets, err)
	}
	return nil
}

func (c *rawIO) query(transport string) string {
	q := c.site + "/socket.io/?EIO=4&transport=" + transport
	if c.sid != "" {
		q += "&sid=" + c.sid
	}
	return q
}

func (c *rawIO) dial(origin string) (err error) {
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	c.ws, _, err = websocket.DefaultDialer.Dial("ws://"+c.query("websocket"), h) //nolint:bodyclose // the library has read it
	return err
}

// upgrade changes to a WebSocket while no poll is held.
func (c *rawIO) upgrade() error {
	if err := c.dial(""); err != nil {
		return err
	}
	if err := c.write("2probe"); err != nil {
		return err
	}
	if packets, err := c.read(); err != nil || packets[0] != "3probe" {
		return fmt.Errorf("%q, %w", packets, err)
	}
	return c.write("5")
}

// read waits for packets.
func (c *rawIO) read() ([]string, error) {
	if c.ws != nil {
		_, frame, err := c.ws.ReadMessage()
		return []string{string(frame)}, err
	}
	status, text, err := c.request(http.MethodGet, "")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("a poll: %d %s", status, text)
	}
	return strings.Split(text, packetSeparator), err
}

// write sends packets.
func (c *rawIO) write(packets ...string) error {
	if c.ws == nil {
		status, text, err := c.request(http.MethodPost, strings.Join(packets, packetSeparator))
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("packets: %d %s", status, text)
		}
		return err
	}
	for _, p := range packets {
		if err := c.ws.WriteMessage(websocket.TextMessage, []byte(p)); err != nil {
			return err
		}
	}
	return nil
}

func (c *rawIO) request(method, body string) (status int, text string, err error) {
	r, err := http.NewRequestWithContext(context.Background(), method, "http://"+c.query("polling"), strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	res, err := c.http.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	return res.StatusCode, string(all), err
}

// close ends a WebSocket, or the session of a client that polls.
func (c *rawIO) close() {
	if c.ws != nil {
		_ = c.ws.Close()
		return
	}
	_ = c.write("1")
}

var errEndOfIO = errors.New("the server has closed the connection")

// run answers pings, and calls take with each packet of Socket.IO, until the connection ends.
func (c *rawIO) run(take func(string)) error {
	for {
		packets, err := c.read()
		if err != nil {
			return err
		}
		for _, p := range packets {
			switch {
			case p == "1":
				return errEndOfIO
			case p == "2":
				err = c.write("3")
			case strings.HasPrefix(p, "4"):
				take(p[1:])
			}
			if err != nil {
				return err
			}
		}
	}
}

package drills

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sseClient reads an event stream, as far as a client of this protocol has to.
type sseClient struct {
	body  io.Closer
	lines *bufio.Scanner
	leave context.CancelFunc

	// Owned by the reader.
	lastID  string        // what would be sent as Last-Event-ID
	retry   time.Duration // when to come back
	beats   int           // comments
	refused bool          // no event came before the end
	event   string        // name of the latest event
	newID   string        // of the event that is being read
}

// streamURL asks for channels at a base URL.
func streamURL(base string, channels ...string) string {
	return base + "?" + url.Values{"channel": channels}.Encode()
}

// openSSE asks for a stream from where lastID left off. The client decides about
// the version of HTTP.
func openSSE(client *http.Client, url, lastID string) (*sseClient, error) {
	ctx, leave := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		leave()
		return nil, err
	}
	r.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	res, err := client.Do(r)
	if err != nil {
		leave()
		return nil, err
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Content-Encoding") != "" {
		leave()
		_ = res.Body.Close()
		return nil, fmt.Errorf("the stream was answered with %s, %v", res.Status, res.Header)
	}
	c := &sseClient{body: res.Body, lines: bufio.NewScanner(res.Body), leave: leave, lastID: lastID, newID: lastID, refused: true}
	c.lines.Buffer(nil, 8<<20)
	return c, nil
}

// dialSSE is openSSE for tests that need the stream; it ends with the test. A stream
// that does not end in time is cut off.
func dialSSE(t testing.TB, client *http.Client, url, lastID string) *sseClient {
	t.Helper()
	c, err := openSSE(client, url, lastID)
	if err != nil {
		t.Fatal(err)
	}
	cut := time.AfterFunc(2*patience, c.close)
	t.Cleanup(func() { cut.Stop(); c.close() })
	return c
}

// streamClient is an HTTP client for event streams: each has a connection of its
// own. It asks for compression, as browsers do.
func streamClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

// close drops the connection.
func (c *sseClient) close() {
	c.leave()
	_ = c.body.Close()
}

// next reads one event. Its data is an envelope, whatever its name.
func (c *sseClient) next() (envelope, error) {
	var data []byte
	c.event = "message"
	for c.lines.Scan() {
		line := c.lines.Bytes()
		if len(line) > 0 {
			data = c.field(line, data)
			continue
		}
		c.lastID = c.newID // an event that was cut off does not count
		if len(data) > 0 {
			c.refused = false
			return decode(data)
		}
	}
	if err := c.lines.Err(); err != nil {
		return envelope{}, err
	}
	return envelope{}, io.EOF
}

func (c *sseClient) field(line, data []byte) []byte {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "":
		c.beats++
	case "id":
		c.newID = string(value)
	case "event":
		c.event = string(value)
	case "retry":
		if ms, err := strconv.Atoi(string(value)); err == nil {
			c.retry = time.Duration(ms) * time.Millisecond
		}
	case "data":
		return append(data, value...)
	}
	return data
}

// await reads until an event of this type comes.
func (c *sseClient) await(kind string) (envelope, error) {
	for {
		ev, err := c.next()
		if err != nil {
			return ev, fmt.Errorf("waiting for %q: %w", kind, err)
		}
		if ev.Type == kind {
			return ev, nil
		}
	}
}

// entries is the number of channels in a cursor.
func entries(cursor string) int {
	if cursor == "" {
		return 0
	}
	return 1 + strings.Count(cursor, ".")
}

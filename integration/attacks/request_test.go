package attacks

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// request is written to the wire as it stands, which no HTTP client would do with
// most of what is sent here.
type request struct {
	method, path string
	header       []string // lines without their end
	body         string
}

// text is the request on the wire.
func (r request) text(host string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.method, r.path, host)
	for _, line := range r.header {
		b.WriteString(line + "\r\n")
	}
	if r.body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.body))
	}
	return b.String() + "\r\n" + r.body
}

// answer is the head of an answer, and its body if that has an end.
type answer struct {
	status int
	header http.Header
	body   string
}

// code is the error code of a problem; empty for none.
func (a answer) code() string {
	var problem struct{ Code string }
	_ = json.Unmarshal([]byte(a.body), &problem)
	return problem.Code
}

// String gives status and code.
func (a answer) String() string {
	return strings.TrimSpace(fmt.Sprint(a.status, " ", a.code()))
}

// send sends a request on a connection of its own.
func (s target) send(t testing.TB, r request) answer {
	t.Helper()
	a, err := s.try(t, r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	return a
}

// try is send for requests that the server may not answer.
func (s target) try(t testing.TB, r request) (a answer, err error) {
	t.Helper()
	conn := s.dial(t)
	defer conn.Close()
	go func() { _, _ = io.WriteString(conn, r.text(string(s))) }() // the answer may come first
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.method})
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	a = answer{status: res.StatusCode, header: res.Header}
	if a.status == http.StatusSwitchingProtocols || res.Header.Get("Content-Type") == "text/event-stream" {
		return a, nil
	}
	body, err := io.ReadAll(res.Body)
	a.body = string(body)
	return a, err
}

// handshake are the headers of a WebSocket handshake, and more.
func handshake(more ...string) []string {
	return append([]string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="}, more...)
}

const jsonType = "Content-Type: application/json"

// bearer is the header with an API key.
func bearer(key string) string { return "Authorization: Bearer " + key }

// post publishes a content to a channel, which stands in the path as it is given.
func post(channel, body string, header ...string) request {
	return request{"POST", "/rt/channels/" + channel + "/messages", header, body}
}

package conformance

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// run is a running check.
type run struct {
	target  *Target
	closers []func()
}

func (r *run) close() {
	for _, c := range r.closers {
		c()
	}
}

// channel returns the name of a channel. If the target allows, no other check has the name.
func (r *run) channel(room Room) string {
	name := r.target.Rooms[room]
	if before, ok := strings.CutSuffix(name, "*"); ok {
		return before + unique()
	}
	return name
}

// unique returns a word that nobody else has chosen.
func unique() string { return strings.ToLower(rand.Text()[:16]) }

// open opens a connection and reads its first frame.
func (r *run) open() *client {
	c := r.openWith(nil)
	if c.connected = c.next(); c.connected.Type != "connected" {
		fail("the first frame is %s, not connected", c.connected)
	}
	return c
}

// openWith opens a connection with more headers in its handshake, and reads nothing.
func (r *run) openWith(h http.Header) *client {
	c, err := r.dial(h)
	if err != nil {
		fail("no connection: %v", err)
	}
	return c
}

// dial is openWith for a connection that may fail.
func (r *run) dial(h http.Header) (*client, error) {
	all := r.target.Header.Clone()
	if all == nil {
		all = make(http.Header)
	}
	for name, values := range h {
		all[name] = values
	}
	s, err := dial(r.target.URL, all, r.target.Timeout)
	if err != nil {
		return nil, err
	}
	r.closers = append(r.closers, s.close)
	return &client{socket: s}, nil
}

// request sends a request to the HTTP API. A body that is a string is sent as it is, any other as
// JSON. The answer's body is closed
// when the check ends.
func (r *run) request(method, path string, body any, headers ...string) *http.Response {
	var in io.Reader
	if raw, ok := body.(string); ok {
		in = strings.NewReader(raw)
	} else if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		in = bytes.NewReader(text)
	}
	q, err := http.NewRequest(method, r.target.API+path, in)
	if err != nil {
		fail("%v", err)
	}
	for name, values := range r.target.Header {
		q.Header[name] = values
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: r.target.Timeout}
	answer, err := transport.RoundTrip(q)
	if err != nil {
		fail("%s %s: %v", method, path, err)
	}
	r.closers = append(r.closers, func() { _ = answer.Body.Close(); transport.CloseIdleConnections() })
	return answer
}

// publish publishes with the API key.
func (r *run) publish(channel string, body any) {
	path := "/channels/" + url.PathEscape(channel) + "/messages"
	if a := r.request("POST", path, body, "Authorization", "Bearer "+r.target.Key); a.StatusCode/100 != 2 {
		fail("POST %s with the API key: %s", path, a.Status)
	}
}

package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Poster publishes by HTTP, over connections that stay open.
type Poster struct {
	endpoint *Endpoint
	client   *http.Client
}

// NewPoster publishes to a server over at most n connections.
func NewPoster(e *Endpoint, n int) *Poster {
	return &Poster{e, &http.Client{Timeout: patience, Transport: &http.Transport{
		MaxConnsPerHost: n, MaxIdleConnsPerHost: n,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a certificate of the bench
	}}}
}

// Publish sends a message and waits for the answer.
func (p *Poster) Publish(ctx context.Context, room string, text []byte) error {
	scheme := "http://"
	if p.endpoint.TLS {
		scheme = "https://"
	}
	path, body := inRoom(p.endpoint.Dialect.Publish, room), text
	if p.endpoint.Post != nil {
		path, body = p.endpoint.Post(room, text)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, scheme+p.endpoint.Addr+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for line := range strings.Lines(p.endpoint.Header) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		req.Header.Set(name, value)
	}
	res, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("publish: %s: %s", res.Status, answer)
	}
	return err
}

// Close closes the connections.
func (p *Poster) Close() { p.client.CloseIdleConnections() }

package engineio_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// TestPollsOverHTTP2 polls and posts on one connection, and gives a poll up.
func TestPollsOverHTTP2(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	server := httptest.NewUnstartedServer(n)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	client := server.Client()
	base := server.URL + "/socket.io/?EIO=4&transport=polling"
	ask := func(ctx context.Context, method, url, body string) (string, error) {
		r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		if err != nil {
			return "", err
		}
		res, err := client.Do(r)
		if err != nil {
			return "", err
		}
		defer func() { _ = res.Body.Close() }()
		if res.ProtoMajor != 2 || res.StatusCode != 200 {
			t.Errorf("%s %s", res.Proto, res.Status)
		}
		b, err := io.ReadAll(res.Body)
		return string(b), err
	}
	open, err := ask(t.Context(), "GET", base, "")
	if err != nil {
		t.Fatal(err)
	}
	p := &poller{t: t, sid: opened(t, open).SID}
	url := base + "&sid=" + p.sid
	got := make(chan string, 1)
	go func() {
		body, _ := ask(t.Context(), "GET", url, "")
		got <- body
	}()
	n.waitHeld(p)
	if body, err := ask(t.Context(), "POST", url, "4hello"); body != "ok" || err != nil {
		t.Errorf("%q %v", body, err)
	}
	if body := <-got; body != "4hello" {
		t.Errorf("%q", body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := ask(ctx, "GET", url, "")
		gone <- err
	}()
	n.waitHeld(p)
	cancel()
	if err := <-gone; err == nil {
		t.Error("an answer")
	}
	n.waitConnections(0)
}

package browser

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// publisher is the app behind the proxy, which publishes over HTTP.
type publisher struct {
	t    testing.TB
	base string
}

// publish posts a message, the way it is written in the HTTP API.
func (p publisher) publish(channel, body string) {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodPost, p.base+"/channels/"+url.PathEscape(channel)+"/messages", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer app-key")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode >= 300 {
		p.t.Fatalf("publishing to %s: %s %s", channel, res.Status, text)
	}
}

package sse

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// FuzzRequest parses what a client asks for: a wrong query is the client's mistake, and
// no cursor is one. What is accepted is within the bounds.
func FuzzRequest(f *testing.F) {
	f.Add("channel=a&history=5", "abcdef~k3v9x2m7~17~9c1f03aa")
	f.Add("channel=a&channel=b&Limit=1", "{}")
	f.Add("format=content&lastEventID=x", "~")
	f.Fuzz(func(t *testing.T, query, id string) {
		r := &http.Request{URL: &url.URL{RawQuery: query}, Header: http.Header{}}
		before, e := parse(r, nil)
		if e != nil && e.Code.Info().Status/100 != 4 {
			t.Fatalf("%v", e)
		}
		r.Header.Set("Last-Event-Id", id)
		q, after := parse(r, nil)
		if (e == nil) != (after == nil) {
			t.Fatalf("the cursor %q decides: %v, %v", id, e, after)
		}
		if e == nil && (len(q.channels) != len(before.channels) || q.history < 0 || q.history > protocol.MaxHistory ||
			q.cursor.Len() > protocol.MaxCursorEntries || q.foreign && q.cursor.Len() > 0) {
			t.Fatalf("%+v", q)
		}
	})
}

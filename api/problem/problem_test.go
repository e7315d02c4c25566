package problem_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestWrite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err          *protocol.Error
		body         string
		authenticate string
		retryAfter   string
	}{
		{
			err:  &protocol.Error{Code: protocol.Forbidden, Message: "not \"you\""},
			body: `{"type":"about:blank","title":"Forbidden","status":403,"detail":"not \"you\"","code":"FORBIDDEN"}`,
		},
		{
			err:          &protocol.Error{Code: protocol.TokenExpired, Message: "old"},
			body:         `{"type":"about:blank","title":"Unauthorized","status":401,"detail":"old","code":"TOKEN_EXPIRED"}`,
			authenticate: "Bearer",
		},
		{
			err:        &protocol.Error{Code: protocol.RateLimited, Message: "wait", RetryAfter: 1001*time.Millisecond + 1},
			body:       `{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"wait","code":"RATE_LIMITED","retryAfter":1002}`,
			retryAfter: "2",
		},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		problem.Write(w, tt.err)
		if w.Body.String() != tt.body || w.Code != tt.err.Status() {
			t.Errorf("%d %s, want %s", w.Code, w.Body, tt.body)
		}
		h := w.Header()
		if h.Get("WWW-Authenticate") != tt.authenticate || h.Get("Retry-After") != tt.retryAfter {
			t.Errorf("%s: header %v", tt.err.Code, h)
		}
		for name, want := range map[string]string{
			"Content-Type": problem.ContentType, "Cache-Control": "no-store",
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

// A way to authenticate that was named already is kept.
func TestWriteKeepsChallenge(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	w.Header().Set("WWW-Authenticate", "Basic")
	problem.Write(w, protocol.Errorf(protocol.Unauthorized, "who?"))
	if got := w.Header().Get("WWW-Authenticate"); got != "Basic" {
		t.Errorf("got %q", got)
	}
}

func TestWriteStatus(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	problem.WriteStatus(w, http.StatusNotFound, "nothing")
	var d problem.Details
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != http.StatusNotFound {
		t.Fatalf("%d %v", w.Code, err)
	}
	if want := (problem.Details{Type: "about:blank", Title: "Not Found", Status: 404, Detail: "nothing"}); d != want {
		t.Errorf("got %+v", d)
	}
}

// A wait shorter than a second must not be announced as none.
func TestSetRetryAfter(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{
		0: "", time.Millisecond: "1", time.Second: "1", time.Second + 1: "2", time.Minute: "60",
	} {
		h := http.Header{}
		problem.SetRetryAfter(h, &protocol.Error{Code: protocol.Unavailable, RetryAfter: wait})
		if got := h.Get("Retry-After"); got != want {
			t.Errorf("%v: %q, want %q", wait, got, want)
		}
	}
}

package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/session"
)

func TestPublish(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for i := uint64(1); i <= 2; i++ {
		w := s.post(ann, "/channels/kept:1/messages", `{"content": {"a": [1, 2]}, "event": "tick"}`)
		got := decode[published](t, w, http.StatusOK)
		hardened(t, w)
		m := s.newest("kept:1")
		if got.Epoch != m.Position.Epoch || got.Offset != i || got.Anchor == "" || got.Duplicate || got.Degraded || got.Channel != "" {
			t.Errorf("got %+v, want %+v", got, m.Position)
		}
		if string(m.Content) != `{"a":[1,2]}` || m.Event != "tick" || m.Sender != "ann" {
			t.Errorf("got %+v", m)
		}
	}
}

func TestPublishWithoutHistory(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	w := s.post(nobody, "/channels/x/messages", `{"content":null}`)
	if w.Code != http.StatusOK || w.Body.String() != `{}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A volatile message is in no history.
func TestPublishVolatile(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for _, body := range []string{`{"content":1}`, `{"content":2,"volatile":true}`, `{"content":3,"volatile":false}`} {
		w := s.post(ann, "/channels/kept:1/messages", body)
		got := decode[published](t, w, http.StatusOK)
		if volatile := strings.Contains(body, "true"); volatile != (got == published{}) {
			t.Errorf("%s: %+v", body, got)
		}
	}
	if m := s.newest("kept:1"); string(m.Content) != "3" || m.Position.Offset != 2 {
		t.Errorf("the newest message is %+v", m)
	}
}

// A body that is not JSON is the content, as a string.
func TestPublishRaw(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for _, media := range []string{"text/plain", "text/html; charset=UTF-8", "application/octet-stream", "application/xml", ""} {
		body := "<b>\"é\\ \u2028 & </b>\n{\x00"
		w := s.do(app, http.MethodPost, "/channels/kept:1/messages", body, "Content-Type", media)
		decode[published](t, w, http.StatusOK)
		m := s.newest("kept:1")
		var got string
		if err := json.Unmarshal(m.Content, &got); err != nil || got != body || m.Sender != "" {
			t.Errorf("%s: got %q, %v", media, m.Content, err)
		}
	}
}

func TestPublishErrors(t *testing.T) {
	t.Parallel()
	const path, limit = "/channels/kept:1/messages", 1 << 10
	s := newSite(t, session.Limits{MessageSize: limit}, func(b hub.Broker) hub.Broker { return b })
	object := []string{"Content-Type", "application/json"}
	text := []string{"Content-Type", "text/plain"}
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	tests := []struct {
		name   string
		path   string
		body   string
		header []string
		status int
		code   string
	}{
		{"not JSON", path, `{"content":`, object, 400, "INVALID_JSON"},
		{"no body", path, ``, object, 400, "INVALID_JSON"},
		{"nothing at all", path, ``, nil, 400, "INVALID_MESSAGE"},
		{"not UTF-8", path, "{\"content\":\"\xff\"}", object, 400, "INVALID_JSON"},
		{"array", path, `[]`, object, 400, "INVALID_MESSAGE"},
		{"null", path, `null`, object, 400, "INVALID_MESSAGE"},
		{"no content", path, `{"event":"x"}`, object, 400, "INVALID_MESSAGE"},
		{"content twice", path, `{"content":1,"content":2}`, object, 400, "INVALID_MESSAGE"},
		{"content twice, written differently", path, `{"content":1,"\u0063ontent":1}`, object, 400, "INVALID_MESSAGE"},
		{"id twice", path, `{"content":1,"id":"a","id":"a"}`, object, 400, "INVALID_MESSAGE"},
		{"to twice", path, `{"content":1,"to":{"user":"a"},"to":{"user":"b"}}`, object, 400, "INVALID_MESSAGE"},
		{"a member of the address twice", path, `{"content":1,"to":{"user":"a","user":"b"}}`, object, 400, "INVALID_MESSAGE"},
		{"unknown member", path, `{"content":1,"Event":"x"}`, object, 400, "INVALID_MESSAGE"},
		{"event not a string", path, `{"content":1,"event":1}`, object, 400, "INVALID_MESSAGE"},
		{"event null", path, `{"content":1,"event":null}`, object, 400, "INVALID_MESSAGE"},
		{"event reserved", path, `{"content":1,"event":"gap"}`, object, 400, "INVALID_MESSAGE"},
		{"event with line break", path, `{"content":1,"event":"a\nb"}`, object, 400, "INVALID_MESSAGE"},
		{"id with a space outside ASCII", path, `{"content":1,"id":"\u00a0"}`, object, 400, "INVALID_MESSAGE"},
		{"id not a string", path, `{"content":1,"id":7}`, object, 400, "INVALID_MESSAGE"},
		{"validate not a boolean", path, `{"content":1,"validate":"yes"}`, object, 400, "INVALID_MESSAGE"},
		{"validate null", path, `{"content":1,"validate":null}`, object, 400, "INVALID_MESSAGE"},
		{"validate in the query", path + "?validate=perhaps", `{"content":1}`, object, 400, "INVALID_MESSAGE"},
		{"volatile not a boolean", path, `{"content":1,"volatile":1}`, object, 400, "INVALID_MESSAGE"},
		{"volatile with a key", path, `{"content":1,"volatile":true,"key":"a"}`, object, 400, "INVALID_MESSAGE"},
		{"deep", path, `{"content":` + deep + `}`, object, 400, "INVALID_MESSAGE"},
		{"key twice", path, `{"content":1,"key":"a","key":"a"}`, object, 400, "INVALID_MESSAGE"},
		{"key with a space outside ASCII", path, `{"content":1,"key":"\u00a0"}`, object, 400, "INVALID_MESSAGE"},
		{"key not a string", path, `{"content":1,"key":7}`, object, 400, "INVALID_MESSAGE"},
		{"key and id differ", path, `{"content":1,"key":"a","id":"b"}`, object, 400, "INVALID_MESSAGE"},
		{"key empty and id not", path, `{"content":1,"key":"","id":"b"}`, object, 400, "INVALID_MESSAGE"},
		{"key and header differ", path, `{"content":1,"key":"a"}`, append(object, "Idempotency-Key", "b"), 400, "INVALID_MESSAGE"},
		{"id and header differ", path, `{"content":1,"id":"a"}`, append(object, "Idempotency-Key", "b"), 400, "INVALID_MESSAGE"},
		{"the key in two headers", path, `{"content":1}`, append(object, "Idempotency-Key", "a", "+Idempotency-Key", "a"), 400, "INVALID_MESSAGE"},
		{"bad key", path, `{"content":1}`, append(object, "Idempotency-Key", "é"), 400, "INVALID_MESSAGE"},
		{"raw not UTF-8", path, "\xff", text, 400, "INVALID_MESSAGE"},
		{"content too large", path, strings.Repeat("x", limit+1), text, 413, "TOO_LARGE"},
		{"body too large", path, strings.Repeat("x", 8<<10), text, 413, "TOO_LARGE"},
		{"form", path, "content=1", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, ""},
		{"multipart", path, "x", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, ""},
		{"charset", path, "x", []string{"Content-Type", "text/plain; charset=latin1"}, 415, ""},
		{"bad type", path, "x", []string{"Content-Type", "text/;"}, 415, ""},
		{"compressed", path, "x", append(text, "Content-Encoding", "gzip"), 415, ""},
		{"bad channel", "/channels/a%2A/messages", `{"content":1}`, object, 400, "INVALID_CHANNEL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rejected(t, s.do(ann, http.MethodPost, tt.path, tt.body, tt.header...), tt.status, tt.code)
		})
	}
}

func TestPublishPermission(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	w := s.post(nobody, "/channels/kept:1/messages", `{"content":1}`)
	rejected(t, w, http.StatusUnauthorized, "UNAUTHORIZED")
	if w.Header().Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("header %v", w.Header())
	}
	rejected(t, s.post(nobody, "/channels/other:1/messages", `{"content":1}`), http.StatusForbidden, "FORBIDDEN")
}

func TestPublishRate(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	decode[published](t, s.post(ann, "/channels/slow:1/messages", `{"content":1}`), http.StatusOK)
	w := s.post(ann, "/channels/slow:1/messages", `{"content":1}`)
	rejected(t, w, http.StatusTooManyRequests, "RATE_LIMITED")
	if w.Header().Get("Retry-After") != "100" {
		t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
	}
	decode[published](t, s.post(app, "/channels/slow:1/messages", `{"content":1}`), http.StatusOK)
}

// Who is over the rate of requests is told so before the body is looked at.
func TestRateComesBeforeTheBody(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Limits{Rate: policy.Rate{PerSecond: 0.01, Burst: 1}}, func(b hub.Broker) hub.Broker { return b })
	decode[published](t, s.post(ann, "/channels/kept:1/messages", `{"content":1}`), http.StatusOK)
	for _, path := range []string{"/channels/kept:1/messages", "/channels/kept:1/document/changes", "/publish"} {
		rejected(t, s.post(ann, path, `{`), http.StatusTooManyRequests, "RATE_LIMITED")
	}
	w := s.do(ann, http.MethodPut, "/channels/kept:1/document", `{`, "Content-Type", "application/json")
	rejected(t, w, http.StatusTooManyRequests, "RATE_LIMITED")
	decode[published](t, s.post(app, "/channels/kept:1/messages", `{"content":1}`), http.StatusOK)
}

func TestPublishUnavailable(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Limits{}, func(b hub.Broker) hub.Broker { return absent{b} })
	w := s.post(app, "/channels/kept:1/messages", `{"content":1}`)
	rejected(t, w, http.StatusServiceUnavailable, "UNAVAILABLE")
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestPublishDegraded(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Limits{}, func(b hub.Broker) hub.Broker { return lonely{b} })
	w := s.post(app, "/channels/x/messages", `{"content":1}`)
	if w.Code != http.StatusOK || w.Body.String() != `{"degraded":true}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// The key is the same whether it comes in the header, quoted or not, or in the body
// under its name or its old one.
func TestPublishTwice(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	const path = "/channels/kept:1/messages"
	first := decode[published](t, s.post(app, path, `{"content":1,"key":"k 1"}`), http.StatusOK)
	for _, again := range []published{
		decode[published](t, s.post(app, path, `{"content":1,"key":"k 1"}`), http.StatusOK),
		decode[published](t, s.post(app, path, `{"content":1,"key":"k 1","id":"k 1"}`), http.StatusOK),
		decode[published](t, s.post(app, path, `{"content":1,"id":"k 1"}`, "Idempotency-Key", "k 1"), http.StatusOK),
		decode[published](t, s.post(app, path, `{"content":1,"id":"k 1"}`), http.StatusOK),
		decode[published](t, s.post(app, path, `{"content":1}`, "Idempotency-Key", "k 1"), http.StatusOK),
		decode[published](t, s.post(app, path, `{"content":1}`, "Idempotency-Key", `"k 1"`), http.StatusOK),
		decode[published](t, s.post(app, path, ` { "id":"k 1", "content" : 1 }`), http.StatusOK),
	} {
		if !again.Duplicate || again.Epoch != first.Epoch || again.Offset != first.Offset {
			t.Errorf("got %+v, want %+v again", again, first)
		}
	}
	if m := s.newest("kept:1"); m.Position.Offset != 1 {
		t.Errorf("%d messages", m.Position.Offset)
	}
}

// Another message with a key that was used is told so, and is not taken for a repeat.
func TestPublishAnotherWithTheKey(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for _, path := range []string{"/channels/kept:1/messages", "/channels/strict:1/messages", "/channels/x/messages"} {
		decode[published](t, s.post(ann, path, `{"content":"<b>1</b>","event":"e","key":"k"}`), http.StatusOK)
		for _, body := range []string{`{"content":"<b>2</b>","event":"e","key":"k"}`, `{"content":"<b>1</b>","key":"k"}`} {
			rejected(t, s.post(ann, path, body), http.StatusUnprocessableEntity, "CONFLICT")
		}
		rejected(t, s.do(ann, http.MethodPost, path, "2", "Content-Type", "text/plain", "Idempotency-Key", "k"), http.StatusUnprocessableEntity, "CONFLICT")
		again := decode[published](t, s.post(ann, path, `{"content":"<b>1</b>","event":"e","key":"k"}`), http.StatusOK)
		if !again.Duplicate {
			t.Errorf("%s: a repeat: %+v", path, again)
		}
	}
	if m := s.newest("kept:1"); m.Position.Offset != 1 {
		t.Errorf("%d messages", m.Position.Offset)
	}
}

// The app's content is taken as it is, unless it asks otherwise.
func TestPublishValidates(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	const path = "/channels/strict:1/messages"
	for _, tt := range []struct {
		who         session.Caller
		query, body string
		want        string
	}{
		{ann, "", `{"content":"<b>1</b>"}`, `"1"`},
		{ann, "?validate=false", `{"content":"<b>2</b>","validate":false}`, `"2"`},
		{app, "", `{"content":"<b>3</b>"}`, `"<b>3</b>"`},
		{app, "", `{"content":"<b>4</b>","validate":true}`, `"4"`},
		{app, "?validate", `{"content":"<b>5</b>"}`, `"5"`},
	} {
		decode[published](t, s.post(tt.who, path+tt.query, tt.body), http.StatusOK)
		if got := string(s.newest("strict:1").Content); got != tt.want {
			t.Errorf("%s %s: published %s", tt.query, tt.body, got)
		}
	}
	w := s.do(app, http.MethodPost, path+"?validate", "<b>6</b>", "Content-Type", "text/plain")
	if decode[published](t, w, http.StatusOK); string(s.newest("strict:1").Content) != `"6"` {
		t.Errorf("published %s", s.newest("strict:1").Content)
	}
	rejected(t, s.post(app, path, `{"content":"12345678901234567890","validate":true}`), 413, "TOO_LARGE")

	long := `{"channels":["strict:1"],"content":"12345678901234567890"`
	for body, want := range map[string][2]bool{`[` + long + `},` + long + `,"validate":true}]`: {false, true}} {
		results := decode[[]batchResult](t, s.post(app, "/publish", body), http.StatusOK)
		for i, r := range results {
			if refused := r.Channels[0].Error != nil; refused != want[i] {
				t.Errorf("item %d: %+v", i, r)
			}
		}
	}
	if r := decode[[]batchResult](t, s.post(app, "/publish?validate", `[`+long+`}]`), http.StatusOK); r[0].Channels[0].Error == nil {
		t.Errorf("%+v", r)
	}
}

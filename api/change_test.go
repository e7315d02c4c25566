package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/session"
)

const changesPath = docPath + "/changes"

func (s *site) proposes(who session.Caller, local, base int, patch string) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.post(who, changesPath, fmt.Sprintf(`{"client":"a client of its own","localVersion":%d,"baseVersion":%d,"patch":%s}`, local, base, patch))
}

// said compares an answer, without its epoch and what is there for people, with JSON.
func (s *site) said(w *httptest.ResponseRecorder, status int, want string) {
	s.t.Helper()
	got := decode[map[string]any](s.t, w, status)
	tag := fmt.Sprintf(`"%v-%v"`, got["epoch"], got["serverVersion"])
	if w.Header().Get("ETag") != tag || status != http.StatusOK && got["detail"] != got["message"] {
		s.t.Errorf("the tag is %s; %s", w.Header().Get("ETag"), w.Body)
	}
	for _, name := range []string{"epoch", "detail", "message", "type", "title", "status"} {
		delete(got, name)
	}
	if text, _ := json.Marshal(got); string(text) != want {
		s.t.Errorf("%s, want %s", text, want)
	}
}

// A change is made, made on top of what has changed since, or refused with the state; and
// made once.
func TestChange(t *testing.T) {
	t.Parallel()
	s := docSite(t)
	s.said(s.proposes(ann, 1, 0, `{"a":1,"list":[]}`), 200, `{"channel":"doc:1","localVersion":1,"serverVersion":1}`)
	s.said(s.proposes(session.Caller{Principal: named("bob")}, 1, 1, `{"b":1}`), 200, `{"channel":"doc:1","localVersion":1,"serverVersion":2}`)
	s.said(s.proposes(ann, 2, 1, `{"a":2}`), 200, `{"channel":"doc:1","localVersion":2,"serverVersion":3}`)
	s.said(s.proposes(ann, 3, 1, `{"b":2}`), 409,
		`{"channel":"doc:1","code":"CONFLICT","localVersion":3,"serverState":{"a":2,"b":1,"list":[]},"serverVersion":3}`)
	s.said(s.proposes(ann, 2, 1, `{"a":2}`), 200, `{"channel":"doc:1","duplicate":true,"localVersion":2,"serverVersion":3}`)
	s.said(s.proposes(ann, 4, 3, `[{"op":"remove","path":"/x"}]`), 400,
		`{"channel":"doc:1","code":"INVALID_MESSAGE","localVersion":4,"serverState":{"a":2,"b":1,"list":[]},"serverVersion":3}`)
	s.said(s.proposes(ann, 5, 3, `{"c":"`+strings.Repeat("x", 100)+`"}`), 413,
		`{"channel":"doc:1","code":"TOO_LARGE","localVersion":5,"serverState":{"a":2,"b":1,"list":[]},"serverVersion":3}`)
	w := s.post(ann, changesPath, `{"client":"c","localVersion":6,"baseVersion":3,"epoch":"other","patch":{}}`)
	s.said(w, 409, `{"channel":"doc:1","code":"CONFLICT","localVersion":6,"serverState":{"a":2,"b":1,"list":[]},"serverVersion":3}`)
	s.said(s.proposes(app, 1, 3, `{"a":3}`), 200, `{"channel":"doc:1","localVersion":1,"serverVersion":4}`)
}

func TestChangeRefused(t *testing.T) {
	t.Parallel()
	s := docSite(t)
	for _, c := range []struct {
		who         session.Caller
		path        string
		body, media string
		status      int
		code        string
	}{
		{nobody, changesPath, `{}`, "", 401, "UNAUTHORIZED"},
		{ann, "/channels/plain/document/changes", `{"client":"c","localVersion":1,"baseVersion":0,"patch":{}}`, "", 403, "FORBIDDEN"},
		{ann, "/channels/none/document/changes", `{}`, "", 403, "FORBIDDEN"},
		{ann, changesPath, `{"client":"c","localVersion":1,"baseVersion":0,"patch":{}}`, "text/plain", 415, ""},
		{ann, changesPath, `{`, "", 400, "INVALID_JSON"},
		{ann, changesPath, `{"localVersion":1,"baseVersion":0,"patch":{}}`, "", 400, "INVALID_MESSAGE"},
		{ann, changesPath, `{"client":"c","localVersion":1,"baseVersion":0}`, "", 400, "INVALID_MESSAGE"},
		{ann, changesPath, `{"channel":"doc:2","client":"c","localVersion":1,"baseVersion":0,"patch":{}}`, "", 400, "INVALID_MESSAGE"},
		{ann, changesPath, `{"client":"c","localVersion":1,"baseVersion":0,"patch":"` + strings.Repeat("x", 140_000) + `"}`, "", 413, "TOO_LARGE"},
	} {
		header := []string{"Content-Type", c.media}
		if c.media == "" {
			header = nil
		}
		rejected(t, s.post(c.who, c.path, c.body, header...), c.status, c.code)
	}
	s.reads(`{}`)
}

// Who may not read the document does not get it as the answer to a change.
func TestChangeNeedsSubscribe(t *testing.T) {
	t.Parallel()
	s := docSite(t)
	p, err := policy.Compile([]policy.Room{{Pattern: "doc:*", Subscribe: policy.Server, Publish: policy.Users, Document: new(document.Options)}})
	if err != nil {
		t.Fatal(err)
	}
	s.registry.Apply(session.Config{Policy: p})
	rejected(t, s.proposes(ann, 1, 7, `{}`), 403, "FORBIDDEN")
}

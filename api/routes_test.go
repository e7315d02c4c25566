package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

func TestOtherPaths(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for _, path := range []string{"", "/", "/other", "/client.js", "/channel/x/messages", "//channels"} {
		if w := s.do(app, http.MethodGet, path, ""); w.Code != -1 {
			t.Errorf("%q was handled: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/channels/", "/channels/x", "/channels/x/other", "/channels//messages", "/channels/x/messages/", "/publish/x"} {
		rejected(t, s.do(app, http.MethodGet, path, ""), http.StatusNotFound, "")
	}
}

func TestOtherMethods(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for path, want := range map[string]string{
		"/publish":                     "OPTIONS, POST",
		"/channels":                    "GET, HEAD, OPTIONS",
		"/channels/x/messages":         "DELETE, GET, HEAD, OPTIONS, POST",
		"/channels/x/presence":         "GET, HEAD, OPTIONS, POST",
		"/channels/x/document/changes": "OPTIONS, POST",
		"/connections/x":               "DELETE, GET, HEAD, OPTIONS",
		"/users/x/connections":         "DELETE, OPTIONS",
		"/revocations":                 "OPTIONS, POST",
		"/ready":                       "GET, HEAD, OPTIONS",
	} {
		w := s.do(app, http.MethodPut, path, "")
		rejected(t, w, http.StatusMethodNotAllowed, "")
		if got := w.Header().Get("Allow"); got != want {
			t.Errorf("%s: allow %q", path, got)
		}
		if w = s.do(app, http.MethodOptions, path, ""); w.Code != http.StatusNoContent || w.Header().Get("Allow") != want {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	got, head := s.do(app, http.MethodGet, "/channels", ""), s.do(app, http.MethodHead, "/channels", "")
	if n := head.Header().Get("Content-Length"); head.Code != http.StatusOK || head.Body.Len() > 0 || n != strconv.Itoa(got.Body.Len()) {
		t.Errorf("HEAD: %d, %s of %d bytes, body %q", head.Code, n, got.Body.Len(), head.Body)
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	for status, is := range map[int]bool{http.StatusOK: true, http.StatusServiceUnavailable: false} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/rt/ready", nil)
		if !Serve(w, r, ReadyPath, Options{Ready: func() bool { return is }}) {
			t.Fatal("not served")
		}
		if !is {
			rejected(t, w, status, "UNAVAILABLE")
		} else if w.Code != status || w.Body.String() != `{"ready":true}` {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		hardened(t, w)
	}
}

func TestWriteProblem(t *testing.T) {
	t.Parallel()
	for _, info := range protocol.Codes() {
		w := httptest.NewRecorder()
		WriteProblem(w, protocol.Errorf(info.Code, "text"))
		rejected(t, w, info.Status, string(info.Code))
	}
}

// A channel that no room opens is a mistake of the app, which is told so. Nobody else
// learns which channels there are.
func TestChannelWithoutRoom(t *testing.T) {
	t.Parallel()
	s := docSite(t)
	scope, err := policy.NewScope(map[string][]string{
		"publish": {"none:*"}, "history": {"none:*"}, "presence": {"none:*"}, "change": {"none:*"},
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	narrow := session.Caller{App: true, Scope: scope}
	for _, request := range []struct{ method, path, body, media string }{
		{"POST", "messages", `{"content":1}`, "application/json"},
		{"POST", "messages", `{"content":1,"to":{"user":"ann"}}`, "application/json"},
		{"GET", "messages", ``, ""},
		{"GET", "presence", ``, ""},
		{"GET", "document", ``, ""},
		{"PATCH", "document", `{"a":1}`, mergePatch},
		{"PUT", "document", `{"a":1}`, "application/json"},
		{"POST", "document/changes", `{"localVersion":1,"baseVersion":0,"patch":{}}`, "application/json"},
	} {
		for name, to := range map[string]struct {
			who    session.Caller
			path   string
			status int
			code   string
		}{
			"the app":                  {app, "none:1", 404, "INVALID_CHANNEL"},
			"a key for it":             {narrow, "none:1", 404, "INVALID_CHANNEL"},
			"a key that is too narrow": {narrow, "nowhere", 403, "FORBIDDEN"},
			"a user":                   {ann, "none:1", 403, "FORBIDDEN"},
		} {
			w := s.do(to.who, request.method, "/channels/"+to.path+"/"+request.path, request.body, "Content-Type", request.media, "If-Match", "*")
			if w.Code != to.status {
				t.Errorf("%s, %s %s: %d %s", name, request.method, request.path, w.Code, w.Body)
				continue
			}
			rejected(t, w, to.status, to.code)
		}
	}
	w := s.post(app, "/publish", `[{"channels":["plain","none:1"],"content":1}]`)
	results := decode[[]batchResult](t, w, http.StatusOK)
	if r := results[0].Channels; len(r) != 2 || r[0].Error != nil || r[1].Error == nil || r[1].Error.Status != 404 || r[1].Error.Code != "INVALID_CHANNEL" {
		t.Errorf("in a batch: %s", w.Body)
	}
}

// openAPI is the part of a description that the tests look at.
type openAPI struct {
	OpenAPI string
	Paths   map[string]map[string]json.RawMessage
	Parts   struct {
		Schemas struct {
			Problem struct {
				Properties struct {
					Code struct{ Enum []protocol.Code }
				}
			}
		}
	} `json:"components"`
}

// The description and the table of routes say the same.
func TestDescription(t *testing.T) {
	t.Parallel()
	w := plainSite(t).do(nobody, http.MethodGet, "/openapi.json", "")
	doc := decode[openAPI](t, w, http.StatusOK)
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("version %q, type %q", doc.OpenAPI, w.Header().Get("Content-Type"))
	}
	var described, routed, codes []string
	for path, item := range doc.Paths {
		for key := range item {
			if key != "parameters" {
				described = append(described, strings.ToUpper(key)+" "+path)
			}
		}
	}
	for _, r := range routes {
		routed = append(routed, r.method+" "+r.pattern)
	}
	slices.Sort(described)
	slices.Sort(routed)
	if !slices.Equal(described, routed) {
		t.Errorf("described %q\nrouted %q", described, routed)
	}
	for _, info := range protocol.Codes() {
		codes = append(codes, string(info.Code))
	}
	var enum []string
	for _, code := range doc.Parts.Schemas.Problem.Properties.Code.Enum {
		enum = append(enum, string(code))
	}
	if !slices.Equal(enum, codes) {
		t.Errorf("described codes %q\nprotocol %q", enum, codes)
	}
}

// Every reference in the description leads somewhere, and every part of it is
// referred to.
func TestDescriptionReferences(t *testing.T) {
	t.Parallel()
	var doc map[string]any
	if err := json.Unmarshal(description, &doc); err != nil {
		t.Fatal(err)
	}
	used := make(map[string]bool)
	collect(doc, used)
	have := make(map[string]bool)
	for kind, parts := range doc["components"].(map[string]any) {
		for name := range parts.(map[string]any) {
			if kind != "securitySchemes" {
				have["#/components/"+kind+"/"+name] = true
			}
		}
	}
	if !maps.Equal(used, have) {
		t.Errorf("used %v\nhave %v", slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(have)))
	}
}

func collect(v any, used map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			used[ref] = true
		}
		for _, part := range v {
			collect(part, used)
		}
	case []any:
		for _, part := range v {
			collect(part, used)
		}
	}
}

// Paths and names of any kind are answered, and only what belongs to the API.
func FuzzPath(f *testing.F) {
	f.Add("/channels/a%2Fb/messages")
	f.Add("/channels/%zz/messages")
	f.Add("/publish//")
	f.Fuzz(func(t *testing.T, path string) {
		segments, ok := split(path)
		if !ok {
			return
		}
		for _, r := range at(segments) {
			names, e := r.names(segments)
			if e == nil && strings.HasPrefix(r.pattern, "/channels/{channel}") && protocol.ValidChannel(names[0]) != nil {
				t.Errorf("%q gives the channel %q", path, names[0])
			}
		}
	})
}

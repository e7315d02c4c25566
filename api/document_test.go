package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/session"
)

const docPath = "/channels/doc:1/document"

// docSite is a site with documents that everybody may read and users may change.
func docSite(t *testing.T) *site {
	t.Helper()
	return docSiteWith(t, session.Limits{})
}

func docSiteWith(t *testing.T, limits session.Limits) *site {
	t.Helper()
	s := newSite(t, limits, func(b hub.Broker) hub.Broker { return b })
	schema, err := policy.CompileSchema([]byte(`{"type":"object"}`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Compile([]policy.Room{
		{Pattern: "doc:*", Subscribe: policy.Anyone, Publish: policy.Users, Schema: schema, Document: &document.Options{Limits: document.Limits{Size: 100}}},
		{Pattern: "plain", Subscribe: policy.Anyone, Publish: policy.Anyone},
	})
	if err != nil {
		t.Fatal(err)
	}
	docs, err := document.New(
		func(sink document.Sink) (document.Store, error) { return memory.NewDocumentStore(sink), nil },
		func(document.News) {},
	)
	if err != nil {
		t.Fatal(err)
	}
	s.registry.WithDocuments(docs).Apply(session.Config{Policy: p, Limits: limits})
	return s
}

// tagged checks that a change went well, and gives the new ETag.
func tagged(t *testing.T, w *httptest.ResponseRecorder, version uint64) string {
	t.Helper()
	got := decode[changed](t, w, http.StatusOK)
	if tag := w.Header().Get("ETag"); got.Version != version || tag != entityTag(got.Epoch, version) {
		t.Errorf("%+v with the tag %s, want version %d", got, tag, version)
	}
	return w.Header().Get("ETag")
}

func (s *site) reads(state string) {
	s.t.Helper()
	if w := s.do(nobody, http.MethodGet, docPath, ""); w.Code != http.StatusOK || w.Body.String() != state {
		s.t.Errorf("%d %s, want %s", w.Code, w.Body, state)
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	s := docSite(t)
	w := s.do(nobody, http.MethodGet, docPath, "")
	zero := w.Header().Get("ETag")
	if w.Code != http.StatusOK || w.Body.String() != `{}` || !strings.HasSuffix(zero, `-0"`) {
		t.Errorf("%d %s %s", w.Code, w.Body, zero)
	}
	one := tagged(t, s.do(ann, http.MethodPatch, docPath, `{"a": [1], "b": null}`, "Content-Type", mergePatch, "If-Match", zero), 1)
	s.reads(`{"a":[1]}`)
	rejected(t, s.do(ann, http.MethodPatch, docPath, `{"c":1}`, "Content-Type", mergePatch, "If-Match", zero), http.StatusPreconditionFailed, "CONFLICT")
	rejected(t, s.do(ann, http.MethodPut, docPath, `{"c":1}`, "Content-Type", "application/json", "If-Match", zero), http.StatusPreconditionFailed, "CONFLICT")
	two := tagged(t, s.do(app, http.MethodPatch, docPath, `[{"op":"add","path":"/a/-","value":2}]`, "Content-Type", jsonPatch, "If-Match", one), 2)
	s.reads(`{"a":[1,2]}`)
	tagged(t, s.do(ann, http.MethodPatch, docPath, `{"c":1}`, "Content-Type", mergePatch, "If-Match", "*"), 3)
	tagged(t, s.do(ann, http.MethodPut, docPath, ` {"d": 1}`, "Content-Type", "application/json"), 4)
	s.reads(`{"d":1}`)
	rejected(t, s.do(app, http.MethodDelete, docPath, "", "If-Match", two), http.StatusPreconditionFailed, "CONFLICT")
	s.reads(`{"d":1}`)

	for tag, status := range map[string]int{zero: 200, `"x-4"`: 200, "*": 304} {
		if w := s.do(nobody, http.MethodGet, docPath, "", "If-None-Match", tag); w.Code != status {
			t.Errorf("If-None-Match %s: %d", tag, w.Code)
		}
	}
	current := s.do(nobody, http.MethodHead, docPath, "")
	if w := s.do(nobody, http.MethodGet, docPath, "", "If-None-Match", two+", W/"+current.Header().Get("ETag")); w.Code != http.StatusNotModified || w.Body.Len() > 0 || current.Body.Len() > 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Who compresses answers on the way makes tags weak, or writes behind them. The state is
// still the one that they name.
func TestDocumentTagOfProxies(t *testing.T) {
	t.Parallel()
	s := docSite(t)
	for version, tag := range map[string]func(string) string{
		`{"n":1}`: func(tag string) string { return "W/" + tag },
		`{"n":2}`: func(tag string) string { return strings.TrimSuffix(tag, `"`) + `-gzip"` },
		`{"n":3}`: func(tag string) string { return "W/" + strings.TrimSuffix(tag, `"`) + `-gzip"` },
	} {
		now := s.do(nobody, http.MethodGet, docPath, "").Header().Get("ETag")
		if w := s.do(nobody, http.MethodGet, docPath, "", "If-None-Match", tag(now)); w.Code != http.StatusNotModified {
			t.Errorf("If-None-Match %s: %d", tag(now), w.Code)
		}
		for _, status := range []int{200, 412} {
			if w := s.do(ann, http.MethodPatch, docPath, version, "Content-Type", mergePatch, "If-Match", tag(now)); w.Code != status {
				t.Errorf("If-Match %s: %d %s", tag(now), w.Code, w.Body)
			}
		}
	}
}

func TestDocumentKey(t *testing.T) {
	t.Parallel()
	s := docSite(t)
	for i, again := range []bool{false, true, true} {
		w := s.do(ann, http.MethodPatch, docPath, `[{"op":"add","path":"/n","value":1}]`, "Content-Type", jsonPatch, "If-Match", "*", keyHeader, "k1")
		if got := decode[changed](t, w, http.StatusOK); got.Version != 1 || got.Duplicate != again {
			t.Errorf("time %d: %+v", i, got)
		}
	}
}

func TestDocumentRefused(t *testing.T) {
	t.Parallel()
	s := docSite(t)
	const path = docPath
	scope, err := policy.NewScope(map[string][]string{"change": {"doc:*"}}, false)
	if err != nil {
		t.Fatal(err)
	}
	editor := session.Caller{App: true, Scope: scope}
	for _, c := range []struct {
		who          session.Caller
		method, path string
		body         string
		header       string // the content type, a comma, If-Match
		status       int
		code         string
	}{
		{ann, "PATCH", path, `{}`, mergePatch + ";", 428, ""},
		{ann, "PATCH", path, `{}`, "application/json;*", 415, ""},
		{ann, "PATCH", path, `{}`, ";*", 415, ""},
		{ann, "PATCH", path, `[]`, mergePatch + ";*", 400, "INVALID_MESSAGE"},
		{ann, "PATCH", path, `{}`, jsonPatch + ";*", 400, "INVALID_MESSAGE"},
		{ann, "PATCH", path, `{`, mergePatch + ";*", 400, "INVALID_JSON"},
		{ann, "PATCH", path, `{}`, mergePatch + ";7", 400, "INVALID_MESSAGE"},
		{ann, "PATCH", path, `{}`, mergePatch + "; ", 400, "INVALID_MESSAGE"},
		{ann, "PUT", path, `{}`, "application/json; ", 400, "INVALID_MESSAGE"},
		{app, "DELETE", path, ``, ";,", 400, "INVALID_MESSAGE"},
		{ann, "PATCH", path, `{}`, mergePatch + `;"a-1x"`, 400, "INVALID_MESSAGE"},
		{ann, "PATCH", path, `{}`, mergePatch + `;"a-1","a-2"`, 400, "INVALID_MESSAGE"},
		{ann, "PATCH", path, `{}`, mergePatch + `;"other-0"`, 412, "CONFLICT"},
		{ann, "PATCH", path, `{"constructor":1}`, mergePatch + ";*", 400, "INVALID_MESSAGE"},
		{ann, "PATCH", path, `[{"op":"test","path":"/a","value":1}]`, jsonPatch + ";*", 409, "CONFLICT"},
		{ann, "PATCH", path, `[{"op":"remove","path":"/a"}]`, jsonPatch + ";*", 400, "INVALID_MESSAGE"},
		{ann, "PATCH", path, `{"a":"` + strings.Repeat("x", 100) + `"}`, mergePatch + ";*", 413, "TOO_LARGE"},
		{ann, "PUT", path, `"` + strings.Repeat("x", 100) + `"`, "application/json;", 413, "TOO_LARGE"},
		{ann, "PUT", path, strings.Repeat(" ", 5000), "application/json;", 413, "TOO_LARGE"},
		{ann, "PUT", path, `x`, "text/plain;", 415, ""},
		{ann, "PUT", path, `[1]`, "application/json;", 422, "SCHEMA_VIOLATION"},
		{app, "PUT", path + "?validate", `[1]`, "application/json;", 422, "SCHEMA_VIOLATION"},
		{nobody, "PUT", path, `{}`, "application/json;", 401, "UNAUTHORIZED"},
		{nobody, "DELETE", path, ``, ";", 401, "UNAUTHORIZED"},
		{ann, "DELETE", path, ``, ";", 403, "FORBIDDEN"},
		{editor, "DELETE", path, ``, ";", 403, "FORBIDDEN"},
		{app, "DELETE", path, ``, ";x", 400, "INVALID_MESSAGE"},
		{nobody, "PATCH", path, `{}`, mergePatch + ";*", 401, "UNAUTHORIZED"},
		{ann, "GET", "/channels/plain/document", ``, ";", 403, "FORBIDDEN"},
		{ann, "PUT", "/channels/plain/document", `{}`, "application/json;", 403, "FORBIDDEN"},
		{app, "PUT", "/channels/plain/document", `{}`, "application/json;", 403, "FORBIDDEN"},
		{app, "GET", "/channels/none/document", ``, ";", 404, "INVALID_CHANNEL"},
		{nobody, "GET", "/channels/none/document", ``, ";", 403, "FORBIDDEN"},
	} {
		media, match, _ := strings.Cut(c.header, ";")
		var header []string
		if media != "" {
			header = append(header, "Content-Type", media)
		}
		if match != "" {
			header = append(header, "If-Match", match)
		}
		w := s.do(c.who, c.method, c.path, c.body, header...)
		if w.Code != c.status {
			t.Errorf("%s %s %s (%s): %d %s", c.method, c.path, c.body, c.header, w.Code, w.Body)
			continue
		}
		rejected(t, w, c.status, c.code)
	}
	s.reads(`{}`)
	tagged(t, s.do(app, http.MethodPut, path, `[1]`, "Content-Type", "application/json"), 1)
	s.reads(`[1]`)
}

package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

func (s *site) put(who session.Caller, channel, state string) int {
	s.t.Helper()
	return s.do(who, http.MethodPut, "/channels/"+url.PathEscape(channel)+"/document", state, "Content-Type", "application/json").Code
}

// A document that was deleted is empty again, in another epoch, and nobody can continue
// the old one.
func TestDeleteDocument(t *testing.T) {
	t.Parallel()
	s := docSite(t)
	one := tagged(t, s.do(ann, http.MethodPut, docPath, `{"a":1}`, "Content-Type", "application/json"), 1)
	if w := s.do(app, http.MethodDelete, docPath, "", "If-Match", one); w.Code != http.StatusNoContent || w.Body.Len() > 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s.reads(`{}`)
	now := s.do(nobody, http.MethodGet, docPath, "").Header().Get("ETag")
	if !strings.HasSuffix(now, `-0"`) || now[:9] == one[:9] {
		t.Errorf("from %s to %s", one, now)
	}
	rejected(t, s.do(ann, http.MethodPatch, docPath, `{"b":1}`, "Content-Type", mergePatch, "If-Match", one), http.StatusPreconditionFailed, "CONFLICT")
	tagged(t, s.do(ann, http.MethodPatch, docPath, `{"b":1}`, "Content-Type", mergePatch, "If-Match", now), 1)
	s.reads(`{"b":1}`)
	// Also where nothing was, and where the room has no document any more.
	for _, path := range []string{docPath, docPath, "/channels/none/document"} {
		if w := s.do(app, http.MethodDelete, path, ""); w.Code != http.StatusNoContent {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestChannelsWithDocuments(t *testing.T) {
	t.Parallel()
	s := docSite(t)
	for _, channel := range []string{"doc:b", "doc:d", "doc:d"} {
		if status := s.put(ann, channel, `{"a":1}`); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	conn, err := s.hub.Connect(hub.ConnOptions{Transport: mute{}, Encoder: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, channel := range []string{"doc:a", "doc:b", "doc:c", "plain"} {
		if _, err := s.hub.Subscribe(t.Context(), conn, channel, hub.SubscribeOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	bytes := func(channel string) int64 {
		page, _, e := s.registry.Documents.List(t.Context(), channel, "", 1)
		if e != nil || len(page) != 1 || page[0].Bytes < 100 {
			t.Fatalf("%+v, %v", page, e)
		}
		return page[0].Bytes
	}
	const a, c, plain = `{"channel":"doc:a","connections":1}`, `{"channel":"doc:c","connections":1}`, `{"channel":"plain","connections":1}`
	b := fmt.Sprintf(`{"channel":"doc:b","connections":1,"document":{"version":1,"bytes":%d}}`, bytes("doc:b"))
	d := fmt.Sprintf(`{"channel":"doc:d","connections":0,"document":{"version":2,"bytes":%d}}`, bytes("doc:d"))
	for _, tt := range []struct {
		query string
		want  []string
		more  bool
	}{
		{"", []string{a, b, c, d, plain}, false},
		{"?limit=2", []string{a, b}, true},
		{"?limit=4", []string{a, b, c, d}, true},
		{"?limit=2&after=doc:b", []string{c, d}, true},
		{"?limit=2&after=doc:c", []string{d, plain}, false},
		{"?prefix=doc:&after=doc:b", []string{c, d}, false},
		{"?prefix=doc:d", []string{d}, false},
	} {
		w := s.do(app, http.MethodGet, "/channels"+tt.query, "")
		next := ""
		if tt.more {
			var last struct{ Channel string }
			_ = json.Unmarshal([]byte(tt.want[len(tt.want)-1]), &last)
			next = fmt.Sprintf(`,"next":%q`, last.Channel)
		}
		want := fmt.Sprintf(`{"channels":[%s],"more":%t%s,"nodes":1}`, strings.Join(tt.want, ","), tt.more, next)
		if w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d %s, want %s", tt.query, w.Code, w.Body, want)
		}
	}
}

// One user fills the share. The others and the app go on, and so does the user in what
// makes documents smaller.
func TestDocumentShare(t *testing.T) {
	t.Parallel()
	s := docSiteWith(t, session.Limits{DocumentMemory: 1 << 20, DocumentShare: 40_000})
	text := `{"a":"` + strings.Repeat("x", 80) + `"}`
	n := 0
	for s.put(ann, fmt.Sprint("doc:ann", n), text) == http.StatusOK {
		if n++; n > 50 {
			t.Fatal("50 documents went into 40,000 bytes")
		}
	}
	if n < 10 {
		t.Errorf("%d documents", n)
	}
	path := "/channels/doc:more/document"
	full := s.do(ann, http.MethodPut, path, text, "Content-Type", "application/json")
	rejected(t, full, http.StatusInsufficientStorage, "LIMIT_EXCEEDED")
	if !strings.Contains(full.Body.String(), "your share") {
		t.Error(full.Body)
	}
	rejected(t, s.do(ann, http.MethodPatch, "/channels/doc:ann0/document", `{"b":"`+strings.Repeat("x", 500)+`"}`, "Content-Type", mergePatch, "If-Match", "*"), http.StatusRequestEntityTooLarge, "TOO_LARGE")
	rejected(t, s.post(ann, path+"/changes", `{"client":"c","localVersion":1,"baseVersion":0,"patch":{"a":1}}`), http.StatusInsufficientStorage, "LIMIT_EXCEEDED")
	for who, caller := range map[string]session.Caller{"another user": {Principal: named("ben")}, "the app": app} {
		for _, channel := range []string{"doc:more", "doc:ann0"} {
			if status := s.put(caller, channel, text); status != http.StatusOK {
				t.Errorf("%s, %s: %d", who, channel, status)
			}
		}
	}
	if status := s.put(ann, "doc:ann1", `{}`); status != http.StatusOK {
		t.Errorf("a smaller document: %d", status)
	}
	for i := range n {
		if w := s.do(app, http.MethodDelete, fmt.Sprintf("/channels/doc:ann%d/document", i), ""); w.Code != http.StatusNoContent {
			t.Fatal(w.Code)
		}
	}
	if status := s.put(ann, "doc:again", text); status != http.StatusOK {
		t.Errorf("after all was deleted: %d", status)
	}
}

// Many users fill three quarters with new documents. Those that there are can still be
// changed, and the app can make new ones.
func TestDocumentMemory(t *testing.T) {
	t.Parallel()
	s := docSiteWith(t, session.Limits{DocumentMemory: 100_000, DocumentShare: 100_000})
	user := func(n int) session.Caller { return session.Caller{Principal: named(fmt.Sprint("user", n))} }
	n := 0
	for s.put(user(n), fmt.Sprint("doc:", n), `{"a":1}`) == http.StatusOK {
		if n++; n > 100 {
			t.Fatal("100 documents went into 100,000 bytes")
		}
	}
	if n < 20 {
		t.Errorf("%d documents", n)
	}
	w := s.do(user(0), http.MethodPut, "/channels/doc:new/document", `{}`, "Content-Type", "application/json")
	rejected(t, w, http.StatusInsufficientStorage, "LIMIT_EXCEEDED")
	if strings.Contains(w.Body.String(), "your share") {
		t.Error(w.Body)
	}
	if status := s.put(user(1), "doc:0", `{"a":2}`); status != http.StatusOK {
		t.Errorf("a change of a document in use: %d", status)
	}
	for s.put(user(1), "doc:0", `{"a":2}`) == http.StatusOK {
		if n++; n > 1000 {
			t.Fatal("one document has no bound")
		}
	}
	if status := s.put(app, "doc:new", `{"a":2}`); status != http.StatusOK {
		t.Errorf("a new document of the app: %d", status)
	}
	if page, _, e := s.registry.Documents.List(t.Context(), "doc:new", "", 1); e != nil || len(page) != 1 || page[0] != (document.Info{Channel: "doc:new", Version: 1, Bytes: page[0].Bytes}) {
		t.Errorf("%+v, %v", page, e)
	}
}

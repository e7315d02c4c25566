package realtime

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/session"
)

// Not every program can send a body with GET and DELETE, so the hub and the window of a drain
// may also be in the query.
func TestDrainByQuery(t *testing.T) {
	load(t, configure(`{"drain-a": {}, "drain-b": {}}`,
		route(`, "path": "/a", "hub": "drain-a"`), route(`, "path": "/b", "hub": "drain-b"`)))
	request := func(method, query, body string, status int) string {
		t.Helper()
		w := httptest.NewRecorder()
		if err := new(Admin).serve(w, httptest.NewRequestWithContext(t.Context(), method, "/realtime/drain"+query, strings.NewReader(body))); err != nil {
			t.Fatal(err)
		}
		if w.Code != status {
			t.Errorf("%s %s %s: status %d, want %d: %s", method, query, body, w.Code, status, w.Body)
		}
		return w.Body.String()
	}
	states := func() []session.DrainState {
		return []session.DrainState{running("drain-a").DrainProgress().State, running("drain-b").DrainProgress().State}
	}
	if got := request(http.MethodGet, "?hub=drain-b", "", http.StatusOK); strings.Contains(got, "drain-a") || !strings.Contains(got, "drain-b") {
		t.Errorf("the drain of one hub: %s", got)
	}
	if got := request(http.MethodPost, "?hub=drain-a&window=1h", "", http.StatusAccepted); !strings.Contains(got, `"window":3600000`) {
		t.Errorf("a window in the query: %s", got)
	}
	request(http.MethodPost, "?hub=drain-b", `{"hub": "drain-b", "window": "1h"}`, http.StatusAccepted)
	request(http.MethodDelete, "?hub=drain-a", "", http.StatusOK)
	if got := states(); got[0] != session.DrainCancelled || got[1] == session.DrainCancelled {
		t.Errorf("after one of the drains was cancelled: %v", got)
	}
	request(http.MethodDelete, "?hub=drain-a", `{"hub": "drain-b"}`, http.StatusBadRequest)
	request(http.MethodDelete, "?hub=other", "", http.StatusNotFound)
	request(http.MethodGet, "?hub=other", "", http.StatusNotFound)
	request(http.MethodDelete, "", "", http.StatusOK)
	if got := states(); slices.ContainsFunc(got, func(s session.DrainState) bool { return s != session.DrainCancelled }) {
		t.Errorf("after all drains were cancelled: %v", got)
	}
}

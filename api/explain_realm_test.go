package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// A realm that does not exist would be explained as one without token and authorize: wrong, and
// nobody would notice the misspelled name.
func TestExplainKnowsRealms(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	p, err := policy.Compile([]policy.Room{{Pattern: "x", Subscribe: policy.Anyone}})
	if err != nil {
		t.Fatal(err)
	}
	s.registry.Apply(session.Config{Policy: p, Realms: map[string]session.Realm{
		"/rt": {Required: true}, "/app": {}, "open /app": {}, "open /rt": {Required: true},
	}})
	for realm, allowed := range map[string]bool{"": false, "/rt": false, "/app": true, "open%20/app": true} {
		w := s.do(app, http.MethodGet, "/explain?channel=x&realm="+realm, "")
		if got := decode[session.Explanation](t, w, http.StatusOK); got.Allowed != allowed {
			t.Errorf("realm %q: allowed %v, want %v: %s", realm, got.Allowed, allowed, got.Text)
		}
	}
	w := s.do(app, http.MethodGet, "/explain?channel=x&realm=/typo", "")
	rejected(t, w, http.StatusNotFound, "INVALID_MESSAGE")
	if !strings.Contains(w.Body.String(), "realms /app, /rt") {
		t.Errorf("the answer does not name the realms: %s", w.Body)
	}
}

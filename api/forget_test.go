package api

import (
	"net/http"
	"testing"
)

func TestForgetUser(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for _, body := range []string{`{"user":"ann"}`, `{"user":"ann","id":"t1"}`, `{"user":"bob"}`, `{"id":"t1"}`} {
		s.post(app, "/revocations", body)
	}
	rejected(t, s.do(ann, http.MethodDelete, "/users/ann", ""), 403, "FORBIDDEN")
	rejected(t, s.do(app, http.MethodDelete, "/users/ann?revocations=1", ""), 400, "INVALID_MESSAGE")
	type forgotten struct{ Members, Revocations, Nodes int }
	for _, step := range []struct {
		query string
		want  forgotten
	}{
		{"", forgotten{Nodes: 1}},
		{"?revocations=false", forgotten{Nodes: 1}},
		{"?revocations=true", forgotten{Revocations: 2, Nodes: 1}},
		{"?revocations", forgotten{Nodes: 1}},
	} {
		if got := decode[forgotten](t, s.do(app, http.MethodDelete, "/users/ann"+step.query, ""), 200); got != step.want {
			t.Errorf("%q: %+v, want %+v", step.query, got, step.want)
		}
	}
}

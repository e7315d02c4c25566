package api

import (
	"net/http"
	"testing"
)

func TestPurge(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for range 3 {
		s.post(app, "/channels/kept:1/messages", `{"content":1}`)
	}
	rejected(t, s.do(ann, http.MethodDelete, "/channels/kept:1/messages", ""), 403, "FORBIDDEN")
	rejected(t, s.do(app, http.MethodDelete, "/channels/nowhere/messages", ""), 404, "INVALID_CHANNEL")
	type purged struct {
		Removed       int
		Epoch, Anchor string
		Offset        uint64
	}
	got := decode[purged](t, s.do(app, http.MethodDelete, "/channels/kept:1/messages", ""), 200)
	if got.Removed != 3 || got.Offset != 3 || got.Epoch == "" || len(got.Anchor) != 8 {
		t.Errorf("%+v", got)
	}
	if got := decode[purged](t, s.do(app, http.MethodDelete, "/channels/x/messages", ""), 200); got != (purged{}) {
		t.Errorf("a room without history: %+v", got)
	}
}

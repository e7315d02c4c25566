package api

import (
	"net/http"
	"strings"
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

func TestRedact(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for range 3 {
		s.post(app, "/channels/kept:1/messages", `{"content":"secret"}`)
	}
	rejected(t, s.do(ann, http.MethodDelete, "/channels/kept:1/messages/2", ""), 403, "FORBIDDEN")
	rejected(t, s.do(app, http.MethodDelete, "/channels/nowhere/messages/2", ""), 404, "INVALID_CHANNEL")
	for _, at := range []string{"4", "2?epoch=another"} {
		rejected(t, s.do(app, http.MethodDelete, "/channels/kept:1/messages/"+at, ""), 404, "INVALID_MESSAGE")
	}
	for _, at := range []string{"0", "-1", "two", "18446744073709551616"} {
		rejected(t, s.do(app, http.MethodDelete, "/channels/kept:1/messages/"+at, ""), 400, "INVALID_MESSAGE")
	}
	type redacted struct{ Offset uint64 }
	if got := decode[redacted](t, s.do(app, http.MethodDelete, "/channels/kept:1/messages/2", ""), 200); got.Offset != 2 {
		t.Errorf("%+v", got)
	}
	text := s.do(app, http.MethodGet, "/channels/kept:1/messages", "").Body.String()
	if strings.Count(text, "secret") != 2 || !strings.Contains(text, `"content":null`) || !strings.Contains(text, `{"redacted":true}`) {
		t.Error(text)
	}
}

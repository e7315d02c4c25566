package api

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// slowly is a body in whose middle something happens.
type slowly struct {
	first, last io.Reader
	between     func()
}

func (s *slowly) Read(p []byte) (int, error) {
	if n, err := s.first.Read(p); err != io.EOF {
		return n, err
	}
	if s.between != nil {
		s.between()
		s.between = nil
	}
	return s.last.Read(p)
}

// A user who is sent away while the body of a request is on its way does not do any more
// what the request asks for.
func TestSentAwayWhileTheBodyComes(t *testing.T) {
	for name, tc := range map[string]struct {
		between func(*session.Registry) *protocol.Error
		status  int
	}{
		"kicked": {func(r *session.Registry) *protocol.Error {
			_, e := r.Kicks.User(context.Background(), "ann", protocol.ReasonForbidden)
			return e
		}, 503},
		"revoked": {func(r *session.Registry) *protocol.Error {
			_, e := r.Revocations.Revoke(context.Background(), auth.Revocation{User: "ann", Before: time.Now()})
			return e
		}, 401},
		"another was kicked": {func(r *session.Registry) *protocol.Error {
			_, e := r.Kicks.User(context.Background(), "bob", protocol.ReasonForbidden)
			return e
		}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			inSite(t, func(t *testing.T, s *site) {
				for _, path := range []string{"/channels/kept:1/messages", "/publish"} {
					p := &session.Principal{Subject: policy.Subject{User: "ann"}, AsOf: time.Now()}
					time.Sleep(time.Second)
					text := `{"content":1}`
					if path == "/publish" {
						text = `[{"channels":["kept:1"],"content":1}]`
					}
					body := &slowly{strings.NewReader(text[:5]), strings.NewReader(text[5:]), func() {
						if e := tc.between(s.registry); e != nil {
							t.Error(e)
						}
					}}
					r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://example.com/rt"+path, body)
					r.Header.Set("Content-Type", "application/json")
					w := httptest.NewRecorder()
					Serve(w, r, path, Options{Registry: s.registry, Caller: session.Caller{Principal: p}, Confirm: func() *protocol.Error { return s.registry.Admission.Confirm(p) }})
					described(t, http.MethodPost, path, w.Code)
					if w.Code != tc.status {
						t.Errorf("%s: %d %s", path, w.Code, w.Body)
					}
				}
			})
		})
	}
}

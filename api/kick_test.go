package api

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// visitor is a connection that notes how it ended.
type visitor struct {
	*session.Session
	reasons chan hub.Reason
}

func (s *site) visit(p *session.Principal) visitor {
	s.t.Helper()
	v := visitor{reasons: make(chan hub.Reason, 1)}
	var e *protocol.Error
	v.Session, e = s.registry.Open(p, session.Options{
		Transport: mute{}, Encoder: silent{}, OnClose: func(r hub.Reason) { v.reasons <- r },
	})
	if e != nil {
		s.t.Fatal(e)
	}
	return v
}

// reason is how the visitor's connection has ended; zero if it lives.
func (v visitor) reason() hub.Reason {
	synctest.Wait()
	select {
	case r := <-v.reasons:
		return r
	default:
		return hub.Reason{}
	}
}

func inSite(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, plainSite(t)) })
}

func TestKick(t *testing.T) {
	asJSON := []string{"Content-Type", "application/json"}
	inSite(t, func(t *testing.T, s *site) {
		for _, tt := range []struct {
			query, body string
			header      []string
			want        hub.Reason
		}{
			{"", "", nil, protocol.ReasonForbidden},
			{"", `{}`, asJSON, protocol.ReasonForbidden},
			{"", `{"code":4001,"reason":"closed for today"}`, asJSON, hub.Reason{Code: 4001, Text: "closed for today"}},
			{"?code=1012&reason=a%20move", "", nil, hub.Reason{Code: 1012, Text: "a move"}},
		} {
			first, second, other := s.visit(named("a/b")), s.visit(named("a/b")), s.visit(named("bob"))
			w := s.do(app, http.MethodDelete, "/users/a%2Fb/connections"+tt.query, tt.body, tt.header...)
			if w.Code != http.StatusOK || w.Body.String() != `{"connections":2,"nodes":1}` {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if a, b, c := first.reason(), second.reason(), other.reason(); a != tt.want || b != tt.want || c != (hub.Reason{}) {
				t.Errorf("ended with %v, %v and %v", a, b, c)
			}
			for _, want := range []string{`{"connections":1,"nodes":1}`, `{"connections":0,"nodes":1}`} {
				w = s.do(app, http.MethodDelete, "/connections/"+other.Conn().ID()+tt.query, tt.body, tt.header...)
				if got := other.reason(); w.Code != http.StatusOK || w.Body.String() != want || strings.HasPrefix(want, `{"connections":1`) && got != tt.want {
					t.Errorf("%d %s, ended with %v", w.Code, w.Body, got)
				}
			}
		}
	})
}

func TestKickRefused(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for _, path := range []string{"/users/ann/connections", "/connections/x"} {
		rejected(t, s.do(nobody, http.MethodDelete, path, ""), 401, "UNAUTHORIZED")
		rejected(t, s.do(ann, http.MethodDelete, path, ""), 403, "FORBIDDEN")
		for _, query := range []string{"?code=1006", "?code=x", "?reason=a%0Ab"} {
			rejected(t, s.do(app, http.MethodDelete, path+query, ""), 400, "INVALID_MESSAGE")
		}
		for _, body := range []string{`[]`, `{"code":"4403"}`, `{"code":null}`, `{"reason":1}`, `{"user":"x"}`} {
			rejected(t, s.do(app, http.MethodDelete, path, body, "Content-Type", "application/json"), 400, "INVALID_MESSAGE")
		}
		rejected(t, s.do(app, http.MethodDelete, path, `{`, "Content-Type", "application/json"), 400, "INVALID_JSON")
		rejected(t, s.do(app, http.MethodDelete, path, `{}`), 400, "INVALID_MESSAGE")
	}
	for _, user := range []string{"%0A", "%FF"} {
		rejected(t, s.do(app, http.MethodDelete, "/users/"+user+"/connections", ""), 400, "INVALID_MESSAGE")
	}
}

func TestRevoke(t *testing.T) {
	inSite(t, func(t *testing.T, s *site) {
		now := time.Now()
		holder := func(user, id string) *session.Principal {
			return &session.Principal{Subject: policy.Subject{User: user}, TokenID: id, Issued: now, Expires: now.Add(time.Hour)}
		}
		for body, want := range map[string]int{
			`{"user":"ann"}`: 2, `{"user":"ann","id":"t2"}`: 1, `{"id":"t3"}`: 1, `{"before":946684802000}`: 3, `{"user":"ann","before":946684799000}`: 0,
		} {
			visitors := []visitor{s.visit(holder("ann", "t1")), s.visit(holder("ann", "t2")), s.visit(holder("bob", "t3"))}
			time.Sleep(time.Second)
			w := s.post(app, "/revocations", body)
			if got := decode[ended](t, w, http.StatusOK); got.Connections != want {
				t.Errorf("%s: %s", body, w.Body)
			}
			for _, v := range visitors {
				if r := v.reason(); r.Code == protocol.ReasonUnauthorized.Code {
					want--
				}
				v.Conn().Close(hub.ReasonNormal)
			}
			if want != 0 {
				t.Errorf("%s: %d more ended", body, -want)
			}
			s.registry = session.New(s.hub) // forgets
		}
		decode[ended](t, s.post(app, "/revocations", `{"user":"ann","until":946688400000}`), http.StatusOK)
		id := auth.Identity{User: "ann", Issued: now, Expires: now.Add(time.Hour)}
		if !s.registry.Revocations.Revoked(id) {
			t.Error("not revoked")
		}
		time.Sleep(time.Hour)
		if s.registry.Revocations.Revoked(id) {
			t.Error("revoked for longer than was said")
		}
	})
}

func TestRevokeRefused(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	rejected(t, s.post(nobody, "/revocations", `{"user":"ann"}`), 401, "UNAUTHORIZED")
	rejected(t, s.post(ann, "/revocations", `{"user":"ann"}`), 403, "FORBIDDEN")
	for _, body := range []string{
		``, `{}`, `{"user":""}`, `{"user":7}`, `{"user":"a\nb"}`, `{"name":"ann"}`, `{"user":"ann","until":0}`,
		`{"user":"ann","until":1700000000000}`, `{"user":"ann","before":1700000000}`, `{"user":"ann","before":"now"}`, `{"until":99999999999999}`,
		`{"user":"ann","until":253402300800000}`, `{"user":"ann","before":253402300800000}`, `{"user":"ann","until":1796000000000000}`,
		`{"user":"ann","before":1796000000000000}`, `{"user":"ann","before":-1796000000000}`, `{"user":"ann","until":9223372036854775807}`,
		`{"user":"ann","until":1e13}`,
	} {
		rejected(t, s.post(app, "/revocations", body), 400, "INVALID_MESSAGE")
	}
}

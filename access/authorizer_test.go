package access

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/internal/askapp"
)

// asks puts a question about a client that sent r, and has the app answer with f.
func asks(r *http.Request, f func(http.ResponseWriter, *http.Request) error) (auth.Answer, error) {
	kept, e := keep(r)
	if e != nil {
		return auth.Answer{}, e
	}
	a := &authorizer{path: "/", app: askapp.For(authorizeOptions("/"), f), log: slog.New(slog.DiscardHandler)}
	return a.Authorize(context.Background(), auth.Question{Action: auth.Connect, Handshake: kept})
}

func TestAuthorizeAnswers(t *testing.T) {
	t.Parallel()
	denied := errors.New("anything else but ErrDenied and ErrUnauthorized")
	for _, test := range []struct {
		name, kind, body string
		status           int
		answer           auth.Answer
		err              error
	}{
		{name: "nothing"},
		{name: "a page", kind: "text/html", body: "<p>welcome"},
		{name: "no content", status: 204},
		{name: "empty", kind: "application/json"},
		{name: "all of it null", kind: "application/json", body: `{"user": null, "info": null}`},
		{name: "a user", kind: "application/json", body: `{"user": "ann", "other": 1}`, answer: auth.Answer{User: "ann"}},
		{name: "broken", kind: "application/json", body: `{"user": `, err: denied},
		{name: "another type", kind: "application/json", body: `[1]`, err: denied},
		{name: "a wrong info", kind: "application/json", body: `{"info": "x"}`, err: denied},
		{name: "an end in milliseconds", kind: "application/json", body: `{"expires": 1767225600000}`, err: denied},
		{name: "too long", kind: "application/json", body: `{"user": "` + strings.Repeat("x", maxAnswer) + `"}`, err: denied},
		{name: "too long for a page", kind: "text/html", body: strings.Repeat("x", maxAnswer+1)},
		{name: "no", status: 404, err: auth.ErrDenied},
		{name: "moved", status: 302, err: auth.ErrDenied},
		{name: "sign in", status: 401, err: auth.ErrUnauthorized},
		{name: "broken app", status: 500, err: denied},
	} {
		answer, err := asks(incoming(nil, "192.0.2.1"), func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Set("Content-Type", test.kind)
			if test.status != 0 {
				w.WriteHeader(test.status)
			}
			_, err := io.WriteString(w, test.body)
			return err
		})
		decided := errors.Is(err, auth.ErrDenied) || errors.Is(err, auth.ErrUnauthorized)
		if test.err == denied && (err == nil || decided) || test.err != denied && !errors.Is(err, test.err) || answer.User != test.answer.User {
			t.Errorf("%s: %+v, %v", test.name, answer, err)
		}
	}
	// A proxy writes nothing when the app switches to another protocol (101).
	answer, err := asks(incoming(nil, "192.0.2.1"), func(http.ResponseWriter, *http.Request) error { return nil })
	if err == nil || errors.Is(err, auth.ErrDenied) {
		t.Errorf("no answer at all: %+v, %v; want none that counts", answer, err)
	}
	for v, want := range map[any]string{"app": "panicked: app", http.ErrAbortHandler: "ended too early"} {
		_, err := asks(incoming(nil, "192.0.2.1"), func(http.ResponseWriter, *http.Request) error { panic(v) })
		if err == nil || errors.Is(err, auth.ErrDenied) || !strings.Contains(err.Error(), want) {
			t.Errorf("a panic: %v, want %q", err, want)
		}
	}
}

// TestAuthorizeRequest looks at what is left of a client's request.
func TestAuthorizeRequest(t *testing.T) {
	t.Parallel()
	r := incoming(nil, "2001:db8::1")
	r.TLS = new(tls.ConnectionState)
	r.Host = "site.example:8443"
	for _, name := range []string{"Cookie", "Authorization", "X-Realtime-User", "X-Forwarded-For", "Remote-User"} {
		r.Header.Set(name, "of the client")
	}
	_, err := asks(r, func(w http.ResponseWriter, r *http.Request) error {
		h := r.Header
		if h.Get("Cookie") != "of the client" || h.Get("Authorization") != "of the client" || len(h) != 4 || h.Get("X-Realtime-Action") != "connect" {
			t.Errorf("headers %v", h)
		}
		if r.TLS == nil || r.Host != "site.example:8443" || r.RemoteAddr != "[2001:db8::1]:0" || r.RequestURI != "/authorize?action=connect" {
			t.Errorf("request %v %s %s %s", r.TLS, r.Host, r.RemoteAddr, r.RequestURI)
		}
		w.WriteHeader(http.StatusOK)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestAuthorizeOverUnixSocket has no address to speak of.
func TestAuthorizeOverUnixSocket(t *testing.T) {
	t.Parallel()
	_, err := asks(incoming(nil, ""), func(w http.ResponseWriter, r *http.Request) error {
		if r.RemoteAddr != "@" {
			t.Errorf("from %q", r.RemoteAddr)
		}
		w.WriteHeader(http.StatusOK)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

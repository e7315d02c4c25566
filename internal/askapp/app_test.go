package askapp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// ask asks an app that is f.
func ask(ctx context.Context, q Request, f func(http.ResponseWriter, *http.Request) error) (Answer, error) {
	return For(Options{Option: "notify", Base: "/rt", Name: "notify", MaxAnswer: 100}, f).Ask(ctx, q)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	broken := errors.New("broken")
	for _, test := range []struct {
		name   string
		app    func(http.ResponseWriter) error
		status int
		body   string
		long   bool
		err    error
	}{
		{name: "nothing", app: func(http.ResponseWriter) error { return nil }, status: 500},
		{name: "a failure", app: func(http.ResponseWriter) error { return broken }, status: 500, err: broken},
		{name: "a failure with a status", app: func(http.ResponseWriter) error { return caddyhttp.Error(502, broken) }, status: 502, err: broken},
		{name: "a status", app: func(w http.ResponseWriter) error {
			w.WriteHeader(103)
			w.WriteHeader(404)
			w.WriteHeader(200)
			return nil
		}, status: 404},
		{name: "a text", app: func(w http.ResponseWriter) error { io.WriteString(w, "ab"); io.WriteString(w, "c"); return nil }, status: 200, body: "abc"},
		{name: "as long as may be", app: func(w http.ResponseWriter) error { _, err := io.WriteString(w, long); return err }, status: 200, body: long},
		{name: "too long", app: func(w http.ResponseWriter) error {
			io.WriteString(w, "ab")
			io.WriteString(w, long)
			_, err := io.WriteString(w, "c")
			return err
		}, status: 200, body: "ab", long: true},
		{name: "endless", app: endless, status: 200, body: long, long: true},
		{name: "endless by a proxy", app: func(w http.ResponseWriter) error { endless(w); panic(http.ErrAbortHandler) }, status: 200, body: long, long: true},
	} {
		a, err := ask(context.Background(), Request{}, func(w http.ResponseWriter, _ *http.Request) error { return test.app(w) })
		if err != nil || a.Status != test.status || string(a.Body) != test.body || a.Long != test.long || !errors.Is(a.Err, test.err) {
			t.Errorf("%s: %+v, %v", test.name, a, err)
		}
	}
}

// endless writes until it can not.
func endless(w http.ResponseWriter) error {
	for {
		if _, err := io.WriteString(w, strings.Repeat("x", 50)); err != nil {
			return err
		}
	}
}

func TestAskFails(t *testing.T) {
	t.Parallel()
	for v, want := range map[any]string{"app": "the routes of 'notify' panicked: app", http.ErrAbortHandler: "the answer to 'notify' ended too early"} {
		_, err := ask(context.Background(), Request{}, func(http.ResponseWriter, *http.Request) error { panic(v) })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a panic: %v, want %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, f := range []func(http.ResponseWriter, *http.Request) error{
		func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(502); return nil },
	} {
		if _, err := ask(ctx, Request{}, f); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
	}
}

// TestRequestWithBody also has neither a client nor values.
func TestRequestWithBody(t *testing.T) {
	t.Parallel()
	q := Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"a":1}`)}
	_, err := ask(context.Background(), q, func(w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != `{"a":1}` || r.ContentLength != 7 || r.Method != http.MethodPost || r.RequestURI != "/rt/notify" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%q, %v, %+v", body, err, r)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

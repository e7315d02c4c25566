package caddyhost

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/standard"
)

func init() { caddy.RegisterModule(probe{}) }

// probe is a handler that tells what MayHijack says at its place in the chain.
type probe struct{}

func (probe) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.probe", New: func() caddy.Module { return new(probe) }}
}

func (probe) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	KeepStream(w, r)
	fmt.Fprint(w, MayHijack(w))
	return nil
}

// opaque is a handler whose writer has no Unwrap, which exists in the wild.
type opaque struct{}

func (opaque) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.opaque", New: func() caddy.Module { return new(opaque) }}
}

func (opaque) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	return next.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
}

func init() { caddy.RegisterModule(opaque{}) }

// TestMayHijack runs in a real server, because the types it is about are Caddy's
// own and change with it.
func TestMayHijack(t *testing.T) {
	for _, test := range []struct {
		name, server, handlers string
		want                   string
	}{
		{"as it comes", ``, ``, "true"},
		{"access log", `"logs": {},`, ``, "true"},
		{"metrics", `"metrics": {},`, ``, "true"},
		{"access log and metrics", `"logs": {}, "metrics": {},`, ``, "true"},
		{"no idle timeouts", `"read_idle_timeout": -1, "write_idle_timeout": -1,`, ``, "true"},
		{"headers at once", ``, `{"handler": "headers", "response": {"set": {"X": ["y"]}}},`, "true"},
		{"headers later", ``, `{"handler": "headers", "response": {"deferred": true, "set": {"X": ["y"]}}},`, "false"},
		{"encode", ``, `{"handler": "encode", "encodings": {"gzip": {}}, "minimum_length": 1},`, "false"},
		{"templates", ``, `{"handler": "templates", "mime_types": ["text/plain"]},`, "false"},
		{"intercept", ``, `{"handler": "intercept", "handle_response": [{"routes": []}]},`, "false"},
		{"log_append", ``, `{"handler": "log_append", "key": "x", "value": "{http.response.body}"},`, "false"},
		{"a writer without Unwrap", ``, `{"handler": "opaque"},`, "false"},
	} {
		t.Run(test.name, func(t *testing.T) {
			load(t, fmt.Appendf(nil, `{
				"admin": {"disabled": true, "config": {"persist": false}},
				"logging": {"logs": {"default": {"writer": {"output": "discard"}}}},
				"apps": {
					"tls": {"disable_storage_clean": true},
					"http": {"servers": {"web": {
						"listen": ["127.0.0.1:0"], %s
						"routes": [{"handle": [%s {"handler": "probe"}]}]
					}}}
				}
			}`, test.server, test.handlers))
			if got := fetch(t); got != test.want {
				t.Errorf("MayHijack says %s", got)
			}
		})
	}
}

// load puts a configuration in force until the end of the test. There is one for the
// whole process, so that tests that use it are not parallel.
func load(t *testing.T, config []byte) {
	t.Helper()
	t.Cleanup(func() { _ = caddy.Stop() })
	if err := caddy.Load(config, true); err != nil {
		t.Fatal(err)
	}
}

// fetch asks the running server for its root, as a browser that takes gzip does.
func fetch(t *testing.T) string {
	t.Helper()
	app, err := caddy.ActiveContext().App("http")
	if err != nil {
		t.Fatal(err)
	}
	addr := app.(*caddyhttp.App).Servers["web"].Listeners()[0].Addr()
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Get("http://" + addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

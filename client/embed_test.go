package client_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/client"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// limits are how large the client may be, compressed, alone and with documents, and what calls and watches add.
var limits = []struct {
	scripts []string
	bytes   int
}{
	{[]string{"client.js"}, 10 << 10},
	{[]string{"client.js", "documents.js"}, 16 << 10},
	{[]string{"calls.js"}, 1280},
	{[]string{"watch.js"}, 2560},
	{[]string{"stores.js"}, 1280},
	{[]string{"away.js"}, 1024},
	{[]string{"shared.js"}, 1280},
	{[]string{"sharedworker.js"}, 7 << 10},
	{[]string{"global.js"}, 21 << 10},
}

func TestScriptsAreModules(t *testing.T) {
	t.Parallel()
	exports := map[string][]string{
		"away.js": {"export{", " as autoAway"}, "calls.js": {"export{", " as connect"}, "client.js": {"export{", " as connect"},
		"diagnose.js": {"export{", " as diagnose"}, "documents.js": {"export{", " as connect"}, "global.js": {"var CaddyRealtime="},
		"shared.js": {"export{", " as shared"}, "sharedworker.js": {"addEventListener(\"connect\""},
		"stores.js": {"export{", " as channelStore"}, "watch.js": {"export{", " as connect"},
	}
	if len(client.Scripts()) != len(exports) {
		t.Errorf("there are %d scripts", len(client.Scripts()))
	}
	for name, script := range client.Scripts() {
		for _, want := range append(exports[name], "Apache-2.0") {
			if !bytes.Contains(script.Text, []byte(want)) {
				t.Errorf("%s has no %q", name, want)
			}
		}
		if bytes.Contains(script.Text, []byte("\r")) {
			t.Errorf("%s has line ends of Windows, so that its hash depends on who built it", name)
		}
	}
}

// A page that has several of them has one client, not several.
func TestScriptsShareTheClient(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"documents.js", "calls.js", "watch.js", "diagnose.js"} {
		text := client.Scripts()[name].Text
		if !bytes.Contains(text, []byte(`from"./client.js"`)) || bytes.Contains(text, []byte("WebSocket")) || bytes.Contains(text, []byte(`="RealtimeError"`)) {
			t.Errorf("%s does not use the client beside it", name)
		}
	}
}

func TestScriptsAreSmall(t *testing.T) {
	t.Parallel()
	for _, limit := range limits {
		size := 0
		for _, name := range limit.scripts {
			size += compressed(t, client.Scripts()[name].Text)
		}
		if size > limit.bytes {
			t.Errorf("%s have %d bytes compressed, more than %d", limit.scripts, size, limit.bytes)
		}
	}
}

// compressed returns how many bytes a script has after gzip.
func compressed(t *testing.T, text []byte) int {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err = w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// A browser that has a script asks with its ETag and is spared it.
func TestETagRevalidates(t *testing.T) {
	t.Parallel()
	for name, script := range client.Scripts() {
		serve := func(etag string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodGet, "/realtime/"+name, nil)
			r.Header.Set("If-None-Match", etag)
			w := httptest.NewRecorder()
			w.Header().Set("Content-Type", client.ContentType)
			w.Header().Set("ETag", script.ETag)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(script.Text))
			return w
		}
		if w := serve(script.ETag); w.Code != http.StatusNotModified {
			t.Errorf("%s: its ETag %s gets %d", name, script.ETag, w.Code)
		}
		if w := serve(`"other"`); w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), script.Text) {
			t.Errorf("%s: another ETag gets %d", name, w.Code)
		}
		if strings.HasPrefix(script.ETag, "W/") || len(script.ETag) != 34 {
			t.Errorf("%s is not a strong ETag", script.ETag)
		}
	}
}

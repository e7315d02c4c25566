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

func TestScriptIsAModule(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"export{", " as connect", "Apache-2.0"} {
		if !bytes.Contains(client.Script(), []byte(want)) {
			t.Errorf("the script has no %q", want)
		}
	}
	if bytes.Contains(client.Script(), []byte("\r")) {
		t.Error("the script has line ends of Windows, so that its hash depends on who built it")
	}
}

func TestScriptIsSmall(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = w.Write(client.Script()); err != nil {
		t.Fatal(err)
	}
	if err = w.Close(); err != nil {
		t.Fatal(err)
	}
	if limit := 8 << 10; b.Len() > limit {
		t.Errorf("%d bytes compressed, more than %d", b.Len(), limit)
	}
}

// A browser that has the script asks with its ETag and is spared it.
func TestETagRevalidates(t *testing.T) {
	t.Parallel()
	serve := func(etag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/realtime/client.js", nil)
		r.Header.Set("If-None-Match", etag)
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", client.ContentType)
		w.Header().Set("ETag", client.ETag())
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(client.Script()))
		return w
	}
	if w := serve(client.ETag()); w.Code != http.StatusNotModified {
		t.Errorf("the ETag %s gets %d", client.ETag(), w.Code)
	}
	if w := serve(`"other"`); w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), client.Script()) {
		t.Errorf("another ETag gets %d", w.Code)
	}
	if etag := client.ETag(); strings.HasPrefix(etag, "W/") || len(etag) != 34 {
		t.Errorf("%s is not a strong ETag", etag)
	}
}

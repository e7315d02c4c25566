package console

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(method, name string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	Serve(w, httptest.NewRequest(method, "/rt/console"+name, nil), name)
	return w
}

func TestServe(t *testing.T) {
	for _, c := range []struct {
		method, name string
		status       int
		header, want string
	}{
		{"GET", "", http.StatusFound, "Location", "console/"},
		{"GET", "/", http.StatusOK, "Content-Type", "text/html; charset=utf-8"},
		{"HEAD", "/", http.StatusOK, "Content-Security-Policy", policy},
		{"GET", "/app.js", http.StatusOK, "Content-Type", "text/javascript; charset=utf-8"},
		{"GET", "/vendor/uplot.js", http.StatusOK, "X-Content-Type-Options", "nosniff"},
		{"GET", "/vendor/uplot.LICENSE", http.StatusNotFound, "", ""},
		{"GET", "/vendor", http.StatusNotFound, "", ""},
		{"GET", "/../console.go", http.StatusNotFound, "", ""},
		{"GET", "//etc/passwd", http.StatusNotFound, "", ""},
		{"POST", "/", http.StatusMethodNotAllowed, "Allow", "GET, HEAD"},
	} {
		w := get(c.method, c.name)
		if w.Code != c.status || c.header != "" && w.Header().Get(c.header) != c.want {
			t.Errorf("%s %q: %d, %v", c.method, c.name, w.Code, w.Header())
		}
		if c.method == "HEAD" && w.Body.Len() > 0 {
			t.Error("HEAD has a body")
		}
	}
}

// The policy forbids all of this, so that it would only fail in a browser.
func TestPageHasNothingInlineAndNothingFromElsewhere(t *testing.T) {
	inline := regexp.MustCompile(`<script(?:[^>]*)>[^<]|<style|\son\w+=|\sstyle=|javascript:|(?:src|href)="(?:https?:)?//|@import|innerHTML|insertAdjacentHTML|document\.write|\beval\(`)
	err := fs.WalkDir(files, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(name, "vendor") {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if found := inline.Find(text); found != nil {
			t.Errorf("%s has %q", name, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

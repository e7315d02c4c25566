// Package console has the page on which an operator watches a hub. The page is a client of
// the HTTP API: it asks for an API key, and has no rights of its own. The files in page are
// written by hand, so that there is no build; page/vendor has uPlot
// (https://github.com/leeoniya/uPlot, MIT), which draws the plots.
package console

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed page
var files embed.FS

// policy is the Content-Security-Policy: nothing from elsewhere, nothing inline, in no
// frame. A text of a client that came into the page as markup could do nothing.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// kinds are the media types, which must not depend on the machine's tables.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// Serve answers a request for a file of the console. The name is what follows
// `<path>/console`: "" is redirected to "/", which is the page.
func Serve(w http.ResponseWriter, r *http.Request, name string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the console is read with GET", http.StatusMethodNotAllowed)
		return
	}
	if name == "" {
		// Relative, because a proxy may have removed the beginning of the path.
		w.Header().Set("Location", path.Base(r.URL.Path)+"/")
		w.WriteHeader(http.StatusFound)
		return
	}
	name = strings.TrimPrefix(name, "/")
	if name == "" {
		name = "index.html"
	}
	text, err := fs.ReadFile(files, "page/"+name)
	kind := kinds[path.Ext(name)]
	if err != nil || kind == "" {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	if r.Method == http.MethodGet {
		_, _ = w.Write(text) // a client that is gone needs no page
	}
}

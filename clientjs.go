package realtime

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/client"
	"github.com/caddy-realtime/caddy-realtime/internal/pace"
)

// clientScript finds the part of the browser client that a request asks for.
func clientScript(r *http.Request, path string) (client.Script, bool) {
	name, below := strings.CutPrefix(path, "/")
	script, ok := client.Scripts()[name]
	return script, ok && below && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// serveClient answers with a part of the browser client. It is the same for
// everybody, so that any page may load it, and any cache may keep it as long as it
// asks whether there is a newer one: the client has to fit the server.
func serveClient(w http.ResponseWriter, r *http.Request, script client.Script) {
	h := w.Header()
	h.Set("Content-Type", client.ContentType)
	h.Set("ETag", script.ETag)
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	pace.Answer(w, len(script.Text))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(script.Text))
}

package realtime

import (
	"bytes"
	"net/http"
	"time"

	"github.com/caddy-realtime/caddy-realtime/client"
)

func asksForClient(r *http.Request, path string) bool {
	return path == "/client.js" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// serveClient answers with the browser client. It is the same for everybody, so
// that any page may load it, and any cache may keep it as long as it asks whether
// there is a newer one: the client has to fit the server.
func serveClient(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", client.ContentType)
	h.Set("ETag", client.ETag())
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(client.Script()))
}

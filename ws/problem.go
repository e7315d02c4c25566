package ws

import (
	"encoding/json"
	"maps"
	"net/http"
)

// problem is the answer to a handshake that is refused (RFC 9457).
type problem struct {
	status int
	detail string
	header http.Header // beside the content type; may be nil
}

func (p *problem) answer(w http.ResponseWriter) {
	body, _ := json.Marshal(struct { // cannot fail
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", http.StatusText(p.status), p.status, p.detail})
	h := w.Header()
	maps.Copy(h, p.header)
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.status)
	_, _ = w.Write(append(body, '\n'))
}

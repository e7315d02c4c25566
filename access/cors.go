package access

import (
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/ws"
)

// The answers to a browser that asks what pages of other origins may do.
const (
	corsMethods = "GET, POST, PUT, PATCH, DELETE"
	corsHeaders = "Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID"
	corsExposed = "ETag, Realtime-Stale, Retry-After"
	corsMaxAge  = "600"
)

// OpenCORS lets pages of an allowed origin read the answer, and send cookies.
func OpenCORS(w http.ResponseWriter, r *http.Request, allowed bool) {
	if ws.IsUpgrade(r) { // browsers ask for nothing like it
		return
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if !allowed || r.Header.Get("Origin") == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Expose-Headers", corsExposed)
}

func IsPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

func AnswerPreflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	w.WriteHeader(http.StatusNoContent)
}

package realtime

import (
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/ws"
)

// isEarly reports a request that came before the end of its TLS handshake, as HTTP/3
// allows (RFC 8470). Whoever records such a request can send it once more, without
// knowing any key, and from another address. A proxy in front says with Early-Data that
// it passes such a request on; every value means 1.
func isEarly(r *http.Request) bool {
	return r.TLS != nil && !r.TLS.HandshakeComplete || len(r.Header.Values("Early-Data")) > 0
}

// bearsRepeating reports a request that does no harm when somebody else sends it again:
// it changes nothing, and opens no connection in somebody's name.
func bearsRepeating(r *http.Request, path string) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return !ws.IsUpgrade(r) && !isStream(r, path)
	}
	return false
}

// refuseEarly asks for the request once more after the handshake. Browsers do that by
// themselves.
func (h *Handler) refuseEarly(w http.ResponseWriter, r *http.Request) error {
	return h.refuseStatus(w, r, http.StatusTooEarly, "send this after the end of the TLS handshake")
}

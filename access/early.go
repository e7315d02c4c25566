package access

import (
	"net/http"
)

// IsEarly reports whether a request came before the end of its TLS handshake, as HTTP/3
// allows (RFC 8470). An attacker who records such a request can send it once more, without
// any key and from another address. A proxy in front says with Early-Data that it passes
// such a request on; every value means 1.
func IsEarly(r *http.Request) bool {
	return r.TLS != nil && !r.TLS.HandshakeComplete || len(r.Header.Values("Early-Data")) > 0
}

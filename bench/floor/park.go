package floor

import (
	"crypto/sha1" //nolint:gosec // RFC 6455 wants it
	"encoding/base64"
	"net/http"
)

// ServeParked listens at an address, with net/http and [Park] alone. It uses TLS if there are files
// of a certificate and its key.
func ServeParked(addr string, certificate []string) error {
	park := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = Park(w, r) })
	if len(certificate) == 2 {
		return http.ListenAndServeTLS(addr, certificate[0], certificate[1], park) //nolint:gosec // a server of the bench
	}
	return http.ListenAndServe(addr, park) //nolint:gosec // a server of the bench
}

// subscribed is the frame that answers every message of a parked client.
var subscribed = string(frame(nil, []byte(`{"type":"subscribed","payload":{"channel":"bench"}}`)))

// accept returns the whole answer to a WebSocket handshake with the header h.
func accept(h http.Header) string {
	sum := sha1.Sum([]byte(h.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // see above
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
}

package protocol

import "github.com/caddy-realtime/caddy-realtime/hub"

// appendReconnect appends the envelope `reconnect`.
func appendReconnect(dst []byte, r hub.Reconnect) []byte {
	dst = beginEnvelope(dst, TypeReconnect, nil)
	dst = append(dst, '{')
	dst = appendIntField(dst, "after", milliseconds(r.After))
	if r.Reason != "" {
		dst = appendStringField(dst, "reason", r.Reason)
	}
	return append(dst, '}', '}')
}

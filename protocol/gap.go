package protocol

import "github.com/caddy-realtime/caddy-realtime/hub"

// appendGap appends the envelope `gap`.
func appendGap(dst []byte, g hub.Gap) []byte {
	dst = beginEnvelope(dst, TypeGap, nil)
	dst = append(dst, '{')
	dst = appendStringField(dst, "channel", g.Channel)
	dst = appendPositionFields(dst, g.Position)
	return append(dst, '}', '}')
}

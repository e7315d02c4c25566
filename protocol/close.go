package protocol

import (
	"slices"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// The reasons for which a session or a transport ends a connection, beside those
// of the hub itself.
var (
	ReasonProtocol     = hub.Reason{Code: 1002, Text: "broken frame"}
	ReasonBinary       = hub.Reason{Code: 1003, Text: "binary frames are not spoken here"}
	ReasonEncoding     = hub.Reason{Code: 1007, Text: "text is not UTF-8"}
	ReasonPolicy       = hub.Reason{Code: 1008, Text: "too many violations"}
	ReasonTooLarge     = hub.Reason{Code: 1009, Text: "frame too large"}
	ReasonInternal     = hub.Reason{Code: 1011, Text: "internal error"}
	ReasonTryLater     = hub.Reason{Code: 1013, Text: "try again later"}
	ReasonVersion      = hub.Reason{Code: 4400, Text: "this version of the protocol is not spoken here"}
	ReasonUnauthorized = hub.Reason{Code: 4401, Text: "not authenticated any more"}
	ReasonForbidden    = hub.Reason{Code: 4403, Text: "disconnected by the application"}
	ReasonTokenExpired = hub.Reason{Code: 4503, Text: "the token has expired"}
)

// CloseInfo is what there is to know of a close code.
type CloseInfo struct {
	// Reason has the code and the text that goes with it by default.
	Reason hub.Reason
	// Name is the code's constant in clients: upper case, words joined by _.
	Name string
	// Reconnect reports that a client should come back by itself.
	Reconnect bool
	// Help is for the documentation and is not sent.
	Help string
}

// closes is the one place that describes the close codes.
var closes = []CloseInfo{
	{hub.ReasonNormal, "NORMAL", false, "The client asked for it, or the conversation is over."},
	{hub.ReasonGone, "GOING_AWAY", true, "The server is shutting down."},
	{ReasonProtocol, "PROTOCOL_ERROR", false, "The client broke the rules of WebSocket framing."},
	{ReasonBinary, "UNSUPPORTED_DATA", false, "The client sent a binary frame; this protocol is text."},
	{hub.ReasonLost, "LOST", true, "Nobody said goodbye. Never sent; clients and logs see it when a connection breaks."},
	{ReasonEncoding, "INVALID_DATA", false, "The client sent text that is not UTF-8."},
	{ReasonPolicy, "POLICY_VIOLATION", false, "The client went on sending what was refused, or far too much."},
	{ReasonTooLarge, "TOO_LARGE", false, "A frame was larger than the server accepts."},
	{ReasonInternal, "INTERNAL", true, "The fault is the server's."},
	{hub.ReasonRestart, "RESTART", true, "The node restarts or drains; come back after the time given in `reconnect`."},
	{ReasonTryLater, "TRY_LATER", true, "The server has too much to do."},
	{ReasonVersion, "VERSION", false, "The client asked for a version of the protocol that this server does not speak."},
	{ReasonUnauthorized, "UNAUTHORIZED", false, "The credentials are no longer good; connect with new ones."},
	{ReasonForbidden, "FORBIDDEN", false, "The application disconnected this user, or took the permission back."},
	{hub.ReasonSlow, "SLOW", true, "The client did not read fast enough; recovery brings what it missed."},
	{hub.ReasonSilent, "SILENT", true, "Pings were not answered in time."},
	{hub.ReasonReplaced, "REPLACED", true, "The configuration changed and this connection's hub is gone."},
	{ReasonTokenExpired, "TOKEN_EXPIRED", true, "The token expired and was not renewed by `authenticate`; get a new one, then reconnect."},
}

// CloseCodes lists the close codes in ascending order. The client's constants and
// the documentation are generated from it.
func CloseCodes() []CloseInfo { return slices.Clone(closes) }

// MayReconnect reports whether a client should come back by itself after a close
// with this code. Codes that are not in the table follow their range: 4000-4499
// stay away, everything else comes back.
func MayReconnect(code uint16) bool {
	if i := slices.IndexFunc(closes, func(c CloseInfo) bool { return c.Reason.Code == code }); i >= 0 {
		return closes[i].Reconnect
	}
	return code < 4000 || code > 4499
}

package protocol

import (
	"net/http"
	"slices"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Code names a kind of error. Programs branch on it; the message beside it is for
// people and may change.
type Code string

// The error codes. [Codes] describes each.
const (
	InvalidJSON       Code = "INVALID_JSON"
	InvalidMessage    Code = "INVALID_MESSAGE"
	UnknownType       Code = "UNKNOWN_TYPE"
	InvalidChannel    Code = "INVALID_CHANNEL"
	Unauthorized      Code = "UNAUTHORIZED"
	TokenExpired      Code = "TOKEN_EXPIRED"
	Forbidden         Code = "FORBIDDEN"
	NotSubscribed     Code = "NOT_SUBSCRIBED"
	AlreadySubscribed Code = "ALREADY_SUBSCRIBED"
	NotPresent        Code = "NOT_PRESENT"
	Conflict          Code = "CONFLICT"
	TooLarge          Code = "TOO_LARGE"
	SchemaViolation   Code = "SCHEMA_VIOLATION"
	RateLimited       Code = "RATE_LIMITED"
	LimitExceeded     Code = "LIMIT_EXCEEDED"
	Unavailable       Code = "UNAVAILABLE"
	Internal          Code = "INTERNAL"
)

// CodeInfo describes an error code.
type CodeInfo struct {
	Code Code
	// Status is the HTTP status of an answer with this error.
	Status int
	// Title is the message if there is no better one.
	Title string
	// Temporary reports whether the same command may succeed later.
	Temporary bool
	// Help tells a developer what to do. It is for the documentation and the client's
	// source, and is not sent.
	Help string
}

// codes describes the error codes, and nothing else does.
var codes = []CodeInfo{
	{InvalidJSON, http.StatusBadRequest, "not valid JSON", false,
		"The frame, or the body of a request, is not one valid JSON text. The message says at which byte."},
	{InvalidMessage, http.StatusBadRequest, "not a valid message", false,
		"The frame is JSON, but a field is missing, has the wrong type, appears twice or is out of range, or values are nested too deeply."},
	{UnknownType, http.StatusBadRequest, "unknown type", false,
		"This version of the protocol has no command of this type."},
	{InvalidChannel, http.StatusBadRequest, "not a valid channel name", false,
		"A channel name has 1 to 255 bytes of UTF-8. It has no control characters, no wildcards and no space at either end, and is not \".\" or \"..\". Over HTTP, the app with its API key gets this code with the status 404 if no room opens the channel."},
	{Unauthorized, http.StatusUnauthorized, "sign in first", false,
		"The command needs a user and the connection is anonymous, or the server did not accept the credentials."},
	{TokenExpired, http.StatusUnauthorized, "the token has expired", false,
		"Get a new token and authenticate again. The connection stays open."},
	{Forbidden, http.StatusForbidden, "not allowed", false,
		"The caller is known and may not do this. A channel that no room opens gets the same answer."},
	{NotSubscribed, http.StatusConflict, "not subscribed to this channel", false,
		"Subscribe to the channel first."},
	{AlreadySubscribed, http.StatusConflict, "already subscribed to this channel", false,
		"The connection is already subscribed to the channel. Nothing was changed."},
	{NotPresent, http.StatusConflict, "the addressee is not in this channel", false,
		"The member that the message is for is not in the channel. Nothing was sent."},
	{Conflict, http.StatusConflict, "conflicts with the current state", false,
		"Read the current state and try again with it. A message gets this code, over HTTP with the status 422, if its idempotency key belongs to another message: send it with a new key."},
	{TooLarge, http.StatusRequestEntityTooLarge, "too large", false,
		"Send less at once, or raise the limit in the server's configuration."},
	{SchemaViolation, http.StatusUnprocessableEntity, "the content does not match the schema", false,
		"The message says where the content differs from the room's schema."},
	{RateLimited, http.StatusTooManyRequests, "too many requests", true,
		"Wait for `retryAfter`, then send more slowly."},
	{LimitExceeded, http.StatusTooManyRequests, "limit reached", false,
		"A number has reached its limit, for example that of channels or connections. Give one up first."},
	{Unavailable, http.StatusServiceUnavailable, "temporarily unavailable", true,
		"The server cannot do this now. Try again after `retryAfter`, or with growing pauses."},
	{Internal, http.StatusInternalServerError, "internal error", true,
		"The server has a fault. Its log has the details."},
}

// Codes lists the error codes. A test compares the documentation and the client's constants
// with it.
func Codes() []CodeInfo { return slices.Clone(codes) }

// Info describes c. A code that is not in the table is described as [Internal].
func (c Code) Info() CodeInfo {
	if i := slices.IndexFunc(codes, func(k CodeInfo) bool { return k.Code == c }); i >= 0 {
		return codes[i]
	}
	info := Internal.Info()
	info.Code = c
	return info
}

// The reasons for which a session or a transport closes a connection, beside those of the hub.
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
	ReasonForbidden    = hub.Reason{Code: 4403, Text: "disconnected by the app"}
	ReasonTokenExpired = hub.Reason{Code: 4503, Text: "the token has expired"}
)

// CloseInfo describes a close code.
type CloseInfo struct {
	// Reason has the code and the text that goes with it by default.
	Reason hub.Reason
	// Name is the code's constant in clients: upper case, words joined by _.
	Name string
	// Reconnect reports whether a client should reconnect by itself.
	Reconnect bool
	// Help is for the documentation and the client's source, and is not sent.
	Help string
}

// closes describes the close codes, and nothing else does.
var closes = []CloseInfo{
	{hub.ReasonNormal, "NORMAL", false, "The client or the server closed the connection as intended."},
	{hub.ReasonGone, "GOING_AWAY", true, "The server is shutting down."},
	{ReasonProtocol, "PROTOCOL_ERROR", false, "The client broke the rules of WebSocket framing."},
	{ReasonBinary, "UNSUPPORTED_DATA", false, "The client sent a binary frame. This protocol has only text frames."},
	{hub.ReasonLost, "LOST", true, "The connection broke without a close code. The server never sends this code; clients and logs show it."},
	{ReasonEncoding, "INVALID_DATA", false, "The client sent text that is not UTF-8."},
	{ReasonPolicy, "POLICY_VIOLATION", false, "The client kept sending what the server rejected, or far too much."},
	{ReasonTooLarge, "TOO_LARGE", false, "A frame was larger than the server accepts."},
	{ReasonInternal, "INTERNAL", true, "The server has a fault."},
	{hub.ReasonRestart, "RESTART", true, "The node restarts or drains. Reconnect after the time in `reconnect`."},
	{ReasonTryLater, "TRY_LATER", true, "The server cannot serve the connection now."},
	{ReasonVersion, "VERSION", false, "The client asked for a version of the protocol that this server does not support."},
	{ReasonUnauthorized, "UNAUTHORIZED", false, "The credentials are no longer valid. Connect with new ones."},
	{ReasonForbidden, "FORBIDDEN", false, "The app disconnected this user or this connection."},
	{hub.ReasonSlow, "SLOW", true, "The client did not read fast enough. Recovery brings the messages that it missed."},
	{hub.ReasonSilent, "SILENT", true, "The client did not answer pings in time."},
	{hub.ReasonReplaced, "REPLACED", true, "The configuration changed, and this connection's hub no longer exists."},
	{ReasonTokenExpired, "TOKEN_EXPIRED", true, "The token expired and was not renewed with `authenticate`. Get a new token, then reconnect."},
}

// CloseCodes lists the close codes in ascending order. A test compares the documentation and
// the client's constants with it.
func CloseCodes() []CloseInfo { return slices.Clone(closes) }

// MayReconnect reports whether a client should reconnect by itself after a close with this
// code. A code that is not in the table follows its range: 4000-4499 must not reconnect, all
// others should.
func MayReconnect(code uint16) bool {
	if i := slices.IndexFunc(closes, func(c CloseInfo) bool { return c.Reason.Code == code }); i >= 0 {
		return closes[i].Reconnect
	}
	return code < 4000 || code > 4499
}

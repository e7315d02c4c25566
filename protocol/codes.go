package protocol

import (
	"net/http"
	"slices"
)

// Code names a kind of error. Programs branch on it; the message beside it is for
// people and may change.
type Code string

// The error codes. [Codes] lists what is known of each.
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

// CodeInfo is what there is to know of an error code.
type CodeInfo struct {
	Code Code
	// Status is the HTTP status of an answer with this error.
	Status int
	// Title is the message where there is no better one.
	Title string
	// Temporary reports that the same command may succeed later without being
	// changed.
	Temporary bool
	// Help tells a developer what to do; it is for the documentation and is not
	// sent.
	Help string
}

// codes is the one place that describes the error codes.
var codes = []CodeInfo{
	{InvalidJSON, http.StatusBadRequest, "not valid JSON", false,
		"The frame, or the body of a request, is not one JSON text. The message says at which byte."},
	{InvalidMessage, http.StatusBadRequest, "not a valid message", false,
		"The frame is JSON, but a field is missing, has the wrong type, is given twice or is out of range; or values are nested too deeply."},
	{UnknownType, http.StatusBadRequest, "unknown type", false,
		"No command has this type in this version of the protocol."},
	{InvalidChannel, http.StatusBadRequest, "not a valid channel name", false,
		"A channel name has 1 to 255 bytes of UTF-8 without control characters, wildcards or spaces at its ends, and is not \".\" or \"..\". Over HTTP 404 tells the app, with its API key, that no room opens the channel."},
	{Unauthorized, http.StatusUnauthorized, "sign in first", false,
		"The command needs a user and the connection is anonymous, or the credentials were not accepted."},
	{TokenExpired, http.StatusUnauthorized, "the token has expired", false,
		"Get a new token and authenticate again; the connection lives on."},
	{Forbidden, http.StatusForbidden, "not allowed", false,
		"The caller is known and may not do this. A channel that no room is configured for answers the same."},
	{NotSubscribed, http.StatusConflict, "not subscribed to this channel", false,
		"Subscribe to the channel first."},
	{AlreadySubscribed, http.StatusConflict, "already subscribed to this channel", false,
		"The connection is in the channel already; nothing was changed."},
	{NotPresent, http.StatusConflict, "the addressee is not in this channel", false,
		"Nobody whom the message is for is in the channel at the moment; nothing was sent."},
	{Conflict, http.StatusConflict, "conflicts with the current state", false,
		"Read the current state and try again on top of it. A message gets it, with the status 422 over HTTP, when its idempotency key belongs to another message; give it a key of its own."},
	{TooLarge, http.StatusRequestEntityTooLarge, "too large", false,
		"Send less at once, or raise the limit in the server's configuration."},
	{SchemaViolation, http.StatusUnprocessableEntity, "the content does not match the schema", false,
		"The message says where the content differs from the room's schema."},
	{RateLimited, http.StatusTooManyRequests, "too many requests", true,
		"Wait for `retryAfter`, then go on more slowly."},
	{LimitExceeded, http.StatusTooManyRequests, "limit reached", false,
		"A number is bounded, of channels or connections for instance; give one up first."},
	{Unavailable, http.StatusServiceUnavailable, "temporarily unavailable", true,
		"The server cannot do this now. Try again after `retryAfter`, or with growing pauses."},
	{Internal, http.StatusInternalServerError, "internal error", true,
		"The fault is the server's; its log has the details."},
}

// Codes lists the error codes. The client's constants and the documentation are
// generated from it.
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

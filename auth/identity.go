package auth

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxUser is the greatest length of a channel name, because a user id can be part of one.
const maxUser = 255

// ValidUser reports whether a user id can be sent and logged without harm: at most 255
// bytes of UTF-8 without control characters and without space around it. A header loses
// such space, so that an [Authorizer] would be asked about another user. "." and ".." are
// not valid, because clients remove them from URLs and the HTTP API could not name the
// user. The empty id is valid and means that there is no user.
func ValidUser(id string) bool {
	return id != "." && id != ".." && len(id) <= maxUser && utf8.ValidString(id) && !strings.ContainsFunc(id, unicode.IsControl) &&
		strings.TrimSpace(id) == id
}

// Identity is what a token says about its bearer.
type Identity struct {
	// User is the subject (sub). It is empty if the token names none: the bearer is
	// anonymous then, but Grants may still open channels.
	User string
	// Info is what other clients may know about the user (info): a JSON object, or nil.
	Info json.RawMessage
	// Expires is until when the token is accepted: its expiry (exp) plus the leeway of the
	// verifier. It is zero if the bearer was recognized without a token.
	Expires time.Time
	// Issued is when the token was issued (iat), or zero if the token does not say it.
	// Without a token it is when the bearer was recognized.
	Issued time.Time
	// ID is the token's own id (jti). It may be empty.
	ID string
	// Grants are the channels that the token opens (channels).
	Grants []Grant
	// Claims are the other claims of the token that are strings, numbers or booleans, as
	// text. A pattern refers to them by {claim.NAME}.
	Claims map[string]string
}

// Grant allows some actions in the channels that match a pattern.
type Grant struct {
	// Pattern has the form of the configuration's patterns, without placeholders.
	Pattern string `json:"pattern"`
	// Allow names the actions: subscribe, publish, presence, history, change.
	Allow []string `json:"allow"`
}

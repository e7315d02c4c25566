package auth

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxUser is as long as a channel name may be, of which a user id can be a part.
const maxUser = 255

// ValidUser reports whether a user id can be sent and logged without harm: at most
// 255 bytes of UTF-8 without control characters, and without space around it, which a
// header loses on its way: an [Authorizer] would be asked about another user. Nor is it
// "." or "..", which clients take out of an address: the HTTP API could not name the
// user. The empty one is valid and means that there is no user.
func ValidUser(id string) bool {
	return id != "." && id != ".." && len(id) <= maxUser && utf8.ValidString(id) && !strings.ContainsFunc(id, unicode.IsControl) &&
		strings.TrimSpace(id) == id
}

// Identity is what a token says of its bearer.
type Identity struct {
	// User is the subject (sub). A token without one is anonymous, but may grant
	// channels all the same.
	User string
	// Info is what others may know of the user (info), a JSON object; may be nil.
	Info json.RawMessage
	// Expires is until when the token is accepted: its time of expiry (exp) and the
	// leeway of the verifier. It is zero in the identity of somebody who was recognized
	// without a token.
	Expires time.Time
	// Issued is when it was made (iat); zero when the token does not say. Without a
	// token it is when the bearer was recognized.
	Issued time.Time
	// ID names the token (jti); may be empty.
	ID string
	// Grants are the channels that the token opens (channels).
	Grants []Grant
	// Claims are the token's other claims that are strings, numbers or booleans, as
	// text: what {claim.NAME} in patterns stands for.
	Claims map[string]string
}

// Grant opens the channels that a pattern matches for some actions.
type Grant struct {
	// Pattern is a pattern as in the configuration, without placeholders.
	Pattern string `json:"pattern"`
	// Allow names the actions: subscribe, publish, presence, history, change.
	Allow []string `json:"allow"`
}

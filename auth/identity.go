package auth

import (
	"encoding/json"
	"time"
)

// Identity is what a token says of its bearer.
type Identity struct {
	// User is the subject (sub). A token without one is anonymous, but may grant
	// channels all the same.
	User string
	// Info is what others may know of the user (info), a JSON object; may be nil.
	Info json.RawMessage
	// Expires is when the token ends (exp).
	Expires time.Time
	// Issued is when it was made (iat); zero when the token does not say.
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

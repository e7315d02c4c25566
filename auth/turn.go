package auth

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what TURN servers compute
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// TURN makes credentials for TURN servers, which check them with the same secret. A TURN must
// not be changed while it is in use.
type TURN struct {
	// Relays need credentials: turn and turns. Open need none: stun and stuns.
	Relays, Open []string
	Secret       []byte
	// TTL is how long credentials are valid.
	TTL time.Duration
}

// Add adds the address of a server.
func (t *TURN) Add(uri string) {
	if strings.HasPrefix(uri, "stun") {
		t.Open = append(t.Open, uri)
	} else {
		t.Relays = append(t.Relays, uri)
	}
}

// Credentials returns the name and the password of a user, and the time when they expire. The
// name starts with that time, and the password is a keyed hash of the name: so a server needs to
// know nobody.
func (t *TURN) Credentials(user string, now time.Time) (name, password string, expires time.Time) {
	expires = now.Add(t.TTL).Truncate(time.Second)
	name = strconv.FormatInt(expires.Unix(), 10) + ":" + user
	mac := hmac.New(sha1.New, t.Secret)
	mac.Write([]byte(name))
	return name, base64.StdEncoding.EncodeToString(mac.Sum(nil)), expires
}

package conformance

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

// sign makes a token (a JSON Web Token with HS256) of a user that expires after a time.
func sign(secret, user string, lifetime time.Duration) string {
	now := time.Now()
	claims, err := json.Marshal(object{"sub": user, "iat": now.Unix(), "exp": now.Add(lifetime).Unix(), "jti": unique()})
	if err != nil {
		panic(err)
	}
	code := base64.RawURLEncoding.EncodeToString
	text := code([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + code(claims)
	h := hmac.New(sha256.New, []byte(secret))
	_, _ = h.Write([]byte(text)) // never fails
	return text + "." + code(h.Sum(nil))
}

// token makes a token of a user.
func (r *run) token(user string, lifetime time.Duration) string {
	return sign(r.target.Secret, user, lifetime)
}

// user opens a connection of a user.
func (r *run) user(name string) *client {
	c := r.open()
	c.do("authenticate", object{"token": r.token(name, time.Hour)}, "authenticated").want("user", name)
	return c
}

// patience checks that the check may wait for something, and returns how long it waits at most.
func (r *run) patience(needed time.Duration, why string) time.Duration {
	if needed > r.target.Patience {
		panic(absence("needs --patience " + needed.Round(time.Second).String() + ": " + why))
	}
	return r.target.Patience
}

// heartbeat returns how often the server sends one.
func (c *client) heartbeat() time.Duration { return heartbeat(c.connected) }

// heartbeat returns what a frame connected says about it.
func heartbeat(connected envelope) time.Duration {
	return time.Duration(connected.Payload.number("heartbeat")) * time.Millisecond
}

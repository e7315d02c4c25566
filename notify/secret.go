package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Secret signs requests by the conventions of Standard Webhooks.
type Secret []byte

// secretPrefix marks a secret in its written form.
const secretPrefix = "whsec_"

// The bounds of a secret, in bytes. Standard Webhooks names them.
const (
	MinSecret = 24
	MaxSecret = 64
)

// The errors of [ParseSecret]. They do not repeat the secret.
var (
	errSecretPrefix = errors.New("a secret starts with whsec_")
	errSecretBase64 = errors.New("what follows whsec_ in a secret is not Base64")
	errSecretLength = errors.New("a secret has 24 to 64 bytes, which are 32 to 88 characters of Base64 after whsec_; make one with: echo whsec_$(openssl rand -base64 32)")
)

// ParseSecret parses the written form of a secret: whsec_ and Base64.
func ParseSecret(s string) (Secret, error) {
	text, ok := strings.CutPrefix(s, secretPrefix)
	if !ok {
		return nil, errSecretPrefix
	}
	secret, err := base64.StdEncoding.DecodeString(text)
	switch {
	case err != nil:
		return nil, errSecretBase64
	case len(secret) < MinSecret || len(secret) > MaxSecret:
		return nil, errSecretLength
	}
	return secret, nil
}

// sign returns the signature of one attempt to send a message.
func (s Secret) sign(id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, s)
	mac.Write([]byte(id + "." + timestamp + ".")) // never fails
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// header returns the headers of one attempt. The time is that of the attempt: the app rejects
// a signature that is too old.
func header(secrets []Secret, id string, body []byte, now time.Time) http.Header {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	signatures := make([]string, len(secrets))
	for i, s := range secrets {
		signatures[i] = s.sign(id, timestamp, body)
	}
	return http.Header{
		"Content-Type":      {"application/json"},
		"Webhook-Id":        {id},
		"Webhook-Timestamp": {timestamp},
		"Webhook-Signature": {strings.Join(signatures, " ")},
	}
}

package pusher

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// App is one app of the configuration. It does not change.
type App struct {
	// ID names the app in the paths of the HTTP API.
	ID string
	// Keys are the key and the secret of the app, several while they are replaced.
	Keys []Key
	// Prefix stands in front of the names of the app's channels.
	Prefix string
	// ClientEvents says that clients may send events in private and presence channels.
	ClientEvents bool
	// Members is how many members a presence channel has at most.
	Members int
	// Counts says that clients are sent how many subscriptions their channels have.
	Counts bool
	// Watchlists says that clients who sign in learn which users of their watchlists are online.
	Watchlists bool
	// Recover says that a user who is back after a lost connection gets what was missed.
	Recover bool
	// Activity is after which silence a client pings.
	Activity time.Duration
}

// Key is a public key with the secret that signs for it.
type Key struct{ Key, Secret string }

// Has reports whether a key is one of the app.
func (a *App) Has(key string) bool {
	_, ok := a.secret(key)
	return ok
}

func (a *App) secret(key string) (string, bool) {
	for _, k := range a.Keys {
		if k.Key == key {
			return k.Secret, true
		}
	}
	return "", false
}

// signed reports whether auth, which is `key:signature`, signs text.
func (a *App) signed(auth, text string) bool {
	key, signature, _ := strings.Cut(auth, ":")
	secret, ok := a.secret(key)
	return ok && verify(secret, signature, text)
}

// unsigned is the error of a signature that signed does not accept. Only the log has its Detail, which
// says what to compare: most often the app signs with another secret.
func (a *App) unsigned(auth string) *protocol.Error {
	e := protocol.Errorf(protocol.Unauthorized, "the signature of the subscription is not valid")
	key, _, _ := strings.Cut(auth, ":")
	switch {
	case auth == "":
		e.Detail = "the client sent no signature"
	case !a.Has(key):
		e.Detail = "the signature is of the key " + protocol.Quote(key) + ", which the app " + protocol.Quote(a.ID) + " does not have"
	default:
		e.Detail = "the signature is not one of the secret of the key " + protocol.Quote(key) + " for this channel, connection and channel_data"
	}
	return e
}

// verify compares a signature in hexadecimal digits in constant time.
func verify(secret, signature, text string) bool {
	got, err := hex.DecodeString(signature)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return hmac.Equal(got, mac.Sum(nil))
}

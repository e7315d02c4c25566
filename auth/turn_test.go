package auth

import (
	"slices"
	"testing"
	"time"
)

// The password is what `openssl dgst -sha1 -hmac <secret> -binary | base64` makes of the name.
func TestTURN(t *testing.T) {
	t.Parallel()
	turn := &TURN{Secret: []byte("north"), TTL: time.Hour}
	name, password, expires := turn.Credentials("ann", time.Unix(1_700_000_000, 999))
	if name != "1700003600:ann" || password != "TwqKCcbzejRFa1sgGqGS7SEzCGg=" || expires.Unix() != 1_700_003_600 {
		t.Errorf("%q, %q, %s", name, password, expires)
	}
	for _, uri := range []string{"turn:a", "stun:b", "turns:c", "stuns:d"} {
		turn.Add(uri)
	}
	if !slices.Equal(turn.Relays, []string{"turn:a", "turns:c"}) || !slices.Equal(turn.Open, []string{"stun:b", "stuns:d"}) {
		t.Errorf("relays %q, open %q", turn.Relays, turn.Open)
	}
}

package session

import "strconv"

// unguessable is how long a key is that nobody finds by trying, if its client has
// chosen it at random: 16 letters and digits have over 80 bits. Those of the browser
// client have about 20.
const unguessable = 16

// scoped is the idempotency key as the broker sees it: the client's own, behind a
// prefix that says whose it is. The length of a user stands before the user, so that
// no choice of user and key looks like another pair.
//
// Each API key has a scope of its own: one that may do little would otherwise make a
// message of one that may do everything a duplicate, which nobody gets.
//
// Nothing says who an anonymous client is when it comes back to repeat what it does
// not know to have arrived, so that all of them share one scope. A short key is for
// its connection alone, or else two that count from 1 would take each other's
// messages for repeats, and anybody could have those of others taken for that.
func scoped(c Caller, key string) string {
	switch {
	case key == "":
		return ""
	case c.App:
		return owned("s", c.Key, key)
	case c.User() != "":
		return owned("u", c.User(), key)
	case len(key) >= unguessable:
		return "a:" + key
	case c.Connection != "":
		return owned("c", c.Connection, key)
	}
	return owned("i", c.who().From().String(), key)
}

func owned(kind, owner, key string) string {
	return kind + strconv.Itoa(len(owner)) + ":" + owner + key
}

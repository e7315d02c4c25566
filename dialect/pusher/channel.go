package pusher

import "strings"

// The kinds of channels, by the beginning of their names. Everything else is public.
const (
	Private  = "private-"
	Presence = "presence-"
	// ToUser starts the channel in which a signed-in user gets events.
	ToUser = "#server-to-user-"
)

// maxName is the greatest length of the name of a channel, with its kind.
const maxName = 200

// valid reports whether a name may be a channel's.
func valid(name string) bool {
	plain := strings.TrimPrefix(name, ToUser)
	if plain == "" || len(name) > maxName {
		return false
	}
	for i := range len(plain) {
		switch c := plain[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("_-=@,.;", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// isCache reports whether a channel keeps its latest event for new subscribers.
func isCache(name string) bool {
	for _, kind := range []string{"private-encrypted-", Private, Presence} {
		if rest, ok := strings.CutPrefix(name, kind); ok {
			name = rest
			break
		}
	}
	return strings.HasPrefix(name, "cache-")
}

func isPresence(name string) bool { return strings.HasPrefix(name, Presence) }

// isCounted reports whether the subscriptions of a channel are counted. Presence channels have members
// instead, and the channel of a user is of nobody else's concern.
func isCounted(name string) bool {
	return valid(name) && !isPresence(name) && !strings.HasPrefix(name, ToUser)
}

// needsAuth reports whether a subscription needs a signature.
func needsAuth(name string) bool { return strings.HasPrefix(name, Private) || isPresence(name) }

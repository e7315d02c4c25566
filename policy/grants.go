package policy

import (
	"errors"
	"fmt"
)

// maxGrants limits the grants of one token, because each decision looks at all of them.
const maxGrants = 100

// Grant allows some actions in the channels that match a pattern.
type Grant struct {
	// Pattern has the form of [Room.Pattern] without placeholders: the issuer of the token
	// knows the values.
	Pattern string
	// Allow names the actions: subscribe, publish, presence, history, change. No action
	// includes another.
	Allow []string
}

// Grants are the compiled grants of one token. They count only for actions whose access is
// [Granted]: they do not open what is left to the server, and do not make an anonymous
// caller a user. If the room's pattern has a placeholder, the caller must own the channel
// as well.
//
// The zero Grants are empty. Grants are immutable, and several goroutines may use them at
// once.
type Grants struct{ list []grant }

type grant struct {
	pattern pattern
	actions uint8 // a bit for each
}

// CompileGrants compiles the grants of a token. It returns an error for more than 100
// grants, a malformed pattern, an unknown action, and a grant without actions: the issuer
// expects more of such a token than it would do.
func CompileGrants(list []Grant) (Grants, error) {
	if len(list) > maxGrants {
		return Grants{}, fmt.Errorf("the token has %d grants; at most %d are accepted", len(list), maxGrants)
	}
	var g Grants
	for _, one := range list {
		compiled, err := one.compile()
		if err != nil {
			return Grants{}, fmt.Errorf("grant of %q: %w", one.Pattern, err)
		}
		g.list = append(g.list, compiled)
	}
	return g, nil
}

func (g Grant) compile() (compiled grant, err error) {
	if compiled.pattern, err = parsePattern(g.Pattern); err != nil {
		return grant{}, err
	}
	if compiled.pattern.personal {
		return grant{}, errors.New("a grant can not have placeholders; write the value itself")
	}
	if len(g.Allow) == 0 {
		return grant{}, errors.New("allow names no action")
	}
	for _, word := range g.Allow {
		a, err := ParseAction(word)
		if err != nil {
			return grant{}, err
		}
		compiled.actions |= 1 << a
	}
	return compiled, nil
}

// Cover reports whether one of the grants allows a in channel.
func (g Grants) Cover(a Action, channel string) bool {
	for i := range g.list {
		if g.list[i].actions&(1<<a) != 0 && g.list[i].pattern.match(channel) {
			return true
		}
	}
	return false
}

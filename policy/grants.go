package policy

import (
	"errors"
	"fmt"
)

// maxGrants bounds the grants of one token: each decision looks at all of them.
const maxGrants = 100

// Grant is what a token says of the channels it opens.
type Grant struct {
	// Pattern says which channels, as [Room.Pattern] does but without
	// placeholders: the issuer knows whom the token is for.
	Pattern string
	// Allow names the actions: subscribe, publish, presence, history, change. None
	// of them includes another.
	Allow []string
}

// Grants are the compiled grants of one token. They count in the rooms and for the
// actions whose access is [Granted] and nowhere else: what is left to the server
// stays with it, and where users may do something an anonymous caller is not one
// for having a grant. A pattern of the configuration with a placeholder still
// wants its owner.
//
// The zero Grants are none. Grants are immutable and may be used by several
// goroutines at once.
type Grants struct{ list []grant }

type grant struct {
	pattern pattern
	actions uint8 // a bit for each
}

// CompileGrants checks the grants of a token. More than 100 of them, a malformed
// pattern, an unknown action and a grant without any are errors: who made the token
// expects more of it than it would do.
func CompileGrants(list []Grant) (Grants, error) {
	if len(list) > maxGrants {
		return Grants{}, fmt.Errorf("%d grants are more than %d", len(list), maxGrants)
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
		return grant{}, errors.New("placeholders are for rooms only; a grant names the value")
	}
	if len(g.Allow) == 0 {
		return grant{}, errors.New("it allows no action")
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
	if a >= actionCount {
		return false
	}
	for i := range g.list {
		if g.list[i].actions&(1<<a) != 0 && g.list[i].pattern.match(channel) {
			return true
		}
	}
	return false
}

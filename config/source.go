package config

import (
	"fmt"
	"strings"
)

// Source is a place in a request where a token may be.
type Source struct {
	Kind string
	Name string // of a cookie or a query parameter
}

// The kinds of sources, as the configuration calls them.
const (
	FromHeader      = "header"
	FromCookie      = "cookie"
	FromQuery       = "query"
	FromSubprotocol = "subprotocol"
	FromMessage     = "message" // not in a request, but in a command
)

// ParseSources reads the words of [Token.From].
func ParseSources(words []string) (all []Source, err error) {
	seen := make(map[string]bool)
	for _, word := range words {
		if seen[word] {
			return nil, fmt.Errorf("'%s' is repeated", word)
		}
		seen[word] = true
		s, err := parseSource(word)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func parseSource(word string) (Source, error) {
	kind, name, named := strings.Cut(word, ":")
	switch kind {
	case FromHeader, FromSubprotocol, FromMessage:
		if !named {
			return Source{Kind: kind}, nil
		}
	case FromCookie, FromQuery:
		if name != "" && !strings.ContainsAny(name, " \t\",;=&\\{}") {
			return Source{kind, name}, nil
		}
	}
	return Source{}, fmt.Errorf("'%s' is none of header, cookie:<name>, query:<name>, subprotocol, message", word)
}

package api

import (
	"net/url"
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// limit reads the parameter by which a client bounds a page.
func limit(query url.Values, usual, most int) (int, *protocol.Error) {
	s := query.Get("limit")
	if s == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > most {
		return 0, protocol.Errorf(protocol.InvalidMessage, "limit %s is not an integer from 0 to %d", protocol.Quote(s), most)
	}
	return n, nil
}

// flag reads a parameter that is true or false. Its name alone means true.
func flag(query url.Values, name string, usual bool) (bool, *protocol.Error) {
	if !query.Has(name) {
		return usual, nil
	}
	switch s := query.Get(name); s {
	case "", "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, protocol.Errorf(protocol.InvalidMessage, "%s %s is neither true nor false", name, protocol.Quote(s))
	}
}

package access

import (
	"net/http"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// tokenSubprotocol is what a token has in front when it comes as a subprotocol. It
// is never answered: the server chooses the protocol beside it.
const tokenSubprotocol = "realtime.token."

// sources are the places in which tokens are looked for, in this order.
type sources []config.Source

func (all sources) has(kind string) bool {
	for _, s := range all {
		if s.Kind == kind {
			return true
		}
	}
	return false
}

// parameters are the names of the query parameters among them.
func (all sources) parameters() (names []string) {
	for _, s := range all {
		if s.Kind == config.FromQuery {
			names = append(names, s.Name)
		}
	}
	return names
}

// token gives the first token of a request; none is empty.
func (all sources) token(r *http.Request) string {
	for _, s := range all {
		if token := tokenAt(s, r); token != "" {
			return token
		}
	}
	return ""
}

func tokenAt(s config.Source, r *http.Request) string {
	switch s.Kind {
	case config.FromHeader:
		if token, ok := bearer(r); ok {
			return token
		}
	case config.FromCookie:
		if c, err := r.Cookie(s.Name); err == nil {
			return c.Value
		}
	case config.FromQuery:
		return r.URL.Query().Get(s.Name)
	case config.FromSubprotocol:
		if ws.IsUpgrade(r) {
			return offered(r)
		}
	}
	return ""
}

// offered finds a token among the subprotocols that a client offers.
func offered(r *http.Request) string {
	for _, line := range r.Header.Values("Sec-Websocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			if token, ok := strings.CutPrefix(strings.TrimSpace(name), tokenSubprotocol); ok {
				return token
			}
		}
	}
	return ""
}

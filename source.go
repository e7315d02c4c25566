package realtime

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/ws"
)

// source is a place in a request where a token may be.
type source struct {
	kind string
	name string // of a cookie or a query parameter
}

// The kinds of sources, as the configuration calls them.
const (
	sourceHeader      = "header"
	sourceCookie      = "cookie"
	sourceQuery       = "query"
	sourceSubprotocol = "subprotocol"
	sourceMessage     = "message" // not in a request, but in a command
)

// tokenSubprotocol is what a token has in front when it comes as a subprotocol. It
// is never answered: the server chooses the protocol beside it.
const tokenSubprotocol = "realtime.token."

// sources are in the order in which they are asked.
type sources []source

func parseSources(words []string) (all sources, err error) {
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

func parseSource(word string) (source, error) {
	kind, name, named := strings.Cut(word, ":")
	switch kind {
	case sourceHeader, sourceSubprotocol, sourceMessage:
		if !named {
			return source{kind: kind}, nil
		}
	case sourceCookie, sourceQuery:
		if name != "" && !strings.ContainsAny(name, " \t\",;=&\\{}") {
			return source{kind, name}, nil
		}
	}
	return source{}, fmt.Errorf("'%s' is none of header, cookie:<name>, query:<name>, subprotocol, message", word)
}

func (all sources) has(kind string) bool {
	for _, s := range all {
		if s.kind == kind {
			return true
		}
	}
	return false
}

// parameters are the names of the query parameters among them.
func (all sources) parameters() (names []string) {
	for _, s := range all {
		if s.kind == sourceQuery {
			names = append(names, s.name)
		}
	}
	return names
}

// token gives the first token of a request; none is empty.
func (all sources) token(r *http.Request) string {
	for _, s := range all {
		if token := s.token(r); token != "" {
			return token
		}
	}
	return ""
}

func (s source) token(r *http.Request) string {
	switch s.kind {
	case sourceHeader:
		if token, ok := bearer(r); ok {
			return token
		}
	case sourceCookie:
		if c, err := r.Cookie(s.name); err == nil {
			return c.Value
		}
	case sourceQuery:
		return r.URL.Query().Get(s.name)
	case sourceSubprotocol:
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

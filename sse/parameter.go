package sse

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// parameters are the query parameters of a stream. The query may have others as well: a token, a
// number against caches, parameters for the app.
var parameters = []string{"channel", "pattern", "history", "format", "filter", "lastEventID", "lastEventId"}

// mistakable are names that a developer may expect to work here: words of the protocol and of
// the HTTP API, and a plural. Case, _ and - do not matter.
var mistakable = []string{
	"channel", "channels", "pattern", "patterns", "history", "format", "lasteventid",
	"recover", "since", "epoch", "offset", "anchor", "limit", "filter",
}

// separators removes _ and - from a name before it is compared. It is made once, because a query
// may have thousands of names.
var separators = strings.NewReplacer("_", "", "-", "")

// mistaken returns an error for a parameter that looks like one of ours and is none. It would
// have no effect, and nobody would notice. Parameters with tokens may have any name.
func mistaken(query url.Values, tokens []string) *protocol.Error {
	for name := range query {
		word := strings.ToLower(separators.Replace(name))
		if !slices.Contains(mistakable, word) || slices.Contains(parameters, name) || slices.Contains(tokens, name) {
			continue
		}
		return protocol.Errorf(protocol.InvalidMessage,
			"event streams have no parameter %s; they have channel, pattern, history, format, filter and lastEventID", protocol.Quote(name))
	}
	return nil
}

// filterOf reads the filter that holds for all channels; nil if there is none.
func filterOf(query url.Values) (*string, *protocol.Error) {
	values := query["filter"]
	switch {
	case len(values) > 1:
		return nil, protocol.Errorf(protocol.InvalidMessage, "filter must be given once; it holds for all channels of the stream")
	case len(values) == 0 || values[0] == "":
		return nil, nil
	}
	text := strings.Clone(values[0])
	return &text, nil
}

// history reads how many of the newest messages of each channel the client gets first.
func history(query url.Values) (int, *protocol.Error) {
	values := query["history"]
	if len(values) == 0 {
		return 0, nil
	}
	n, err := strconv.Atoi(values[0])
	if err != nil || n < 0 || n > protocol.MaxHistory || len(values) > 1 {
		return 0, protocol.Errorf(protocol.InvalidMessage, "history must be given once, as an integer from 0 to %d", protocol.MaxHistory)
	}
	return n, nil
}

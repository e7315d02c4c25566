package sse

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// parameters are those of a stream. Others may be in the query as well: a token, a
// number against caches, what the app wants to know.
var parameters = []string{"channel", "history", "format", "lastEventID", "lastEventId"}

// mistakable are words of the protocol and of the HTTP API, and the plural of one, which
// somebody may expect to have a meaning here. Case, _ and - do not matter.
var mistakable = []string{
	"channel", "channels", "history", "format", "lasteventid",
	"recover", "since", "epoch", "offset", "anchor", "limit", "filter",
}

// separators are taken out of a name before it is compared. A query may have
// thousands of names, and to make a replacer costs much more than to use it.
var separators = strings.NewReplacer("_", "", "-", "")

// mistaken says that a parameter looks like one of ours and is none: nothing would come
// of it, and nobody would notice. The parameters that tokens come in are the site's.
func mistaken(query url.Values, tokens []string) *protocol.Error {
	for name := range query {
		word := strings.ToLower(separators.Replace(name))
		if !slices.Contains(mistakable, word) || slices.Contains(parameters, name) || slices.Contains(tokens, name) {
			continue
		}
		return protocol.Errorf(protocol.InvalidMessage,
			"event streams have no parameter %s; they have channel, history, format and lastEventID", protocol.Quote(name))
	}
	return nil
}

// history reads how many of the newest messages of each channel the client begins with.
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

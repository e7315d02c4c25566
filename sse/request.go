package sse

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const contentType = "text/event-stream"

// request is a request for a stream.
type request struct {
	channels []channel // in the order of the query, each once
	history  int       // how many of the newest messages of each channel come first
	cursor   protocol.Cursor
	kept     bool // a channel has history
	foreign  bool // the client sent an id that is no cursor of this server
	content  bool
	filter   *string // holds for all channels; nil: there is none

	// returning says that the client was connected before: an EventSource that has an id.
	returning bool
	denied    []denied
	rejects   string // the channel that the error of a rejected request is about; empty: none
}

// denied is a channel that the client may not have.
type denied struct {
	name string
	e    *protocol.Error
}

// channel is one of the channels of a stream, or a pattern.
type channel struct {
	name string
	from *hub.Position // recover from there; nil: deliver from now on
}

// IsStream reports whether r asks for an event stream.
func IsStream(r *http.Request) bool { return r.Method == http.MethodGet && accepts(r) }

// accepts reports whether the client named the type of event streams, as every
// EventSource does.
func accepts(r *http.Request) bool {
	for _, v := range r.Header.Values("Accept") {
		if strings.Contains(strings.ToLower(v), contentType) {
			return true
		}
	}
	return false
}

// parse reads the query and Last-Event-ID.
func parse(r *http.Request, tokens []string) (request, *protocol.Error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return request{}, protocol.Errorf(protocol.InvalidMessage, "the query is not valid")
	}
	if e := mistaken(query, tokens); e != nil {
		return request{}, e
	}
	q := request{content: query.Get("format") == "content"}
	if f := query.Get("format"); f != "" && !q.content {
		return q, protocol.Errorf(protocol.InvalidMessage, "unknown format %s; there is only \"content\"", protocol.Quote(f))
	}
	var e *protocol.Error
	if q.channels, e = channels(query["channel"], query["pattern"]); e != nil {
		return q, e
	}
	if q.history, e = history(query); e != nil {
		return q, e
	}
	if q.filter, e = filterOf(query); e != nil {
		return q, e
	}
	// An id of another server or version does not say what the client missed. To reject it
	// would stop an EventSource for ever.
	q.returning = r.Header.Get("Last-Event-Id") != ""
	if id := lastEventID(r.Header, query); id != noPosition {
		q.cursor, e = protocol.ParseCursor(id)
		q.foreign = e != nil
	}
	return q, nil
}

// channels checks the names and drops repeated ones. It copies the names, so that they do not
// keep the whole query in memory. Patterns come last.
func channels(names, patterns []string) ([]channel, *protocol.Error) {
	if len(names)+len(patterns) == 0 {
		return nil, protocol.Errorf(protocol.InvalidChannel, "name at least one channel: ?channel=news&channel=chat:42")
	}
	seen := make(map[string]bool, len(names))
	var list []channel
	for _, name := range names {
		if e := protocol.ValidChannel(name); e != nil {
			return nil, e
		}
		if !seen[name] {
			seen[name] = true
			list = append(list, channel{name: strings.Clone(name)})
		}
	}
	for _, pattern := range patterns {
		if !protocol.IsPattern(pattern) {
			return nil, protocol.Errorf(protocol.InvalidChannel, "pattern %s has no *; name it as a channel", protocol.Quote(pattern))
		}
		if !seen[pattern] {
			seen[pattern] = true
			list = append(list, channel{name: strings.Clone(pattern)})
		}
	}
	return list, nil
}

// lastEventID returns the cursor of the client. The header is newer than the query: a browser
// that reconnects keeps the address of the stream, and sets the header to the last id that it
// saw.
func lastEventID(h http.Header, query url.Values) string {
	for _, id := range []string{h.Get("Last-Event-Id"), query.Get("lastEventID"), query.Get("lastEventId")} {
		if id != "" {
			return id
		}
	}
	return ""
}

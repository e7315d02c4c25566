package sse

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const contentType = "text/event-stream"

// request is what a client asks for.
type request struct {
	channels []channel // in the order of the query, each once
	history  int       // newest messages of each channel to begin with
	cursor   protocol.Cursor
	kept     bool // a channel has history
	foreign  bool // the client gave a cursor that is none of ours
	content  bool

	// returning says that the client was here before: an EventSource that was told an id.
	returning bool
	refused   []refused
}

// refused is a channel that a client may not have.
type refused struct {
	name string
	e    *protocol.Error
}

// channel is one of the channels of a stream.
type channel struct {
	name string
	from *hub.Position // recovered from there; nil: delivery begins now
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
	if q.channels, e = channels(query["channel"]); e != nil {
		return q, e
	}
	if q.history, e = history(query); e != nil {
		return q, e
	}
	// What another server or version has given out says nothing of what was missed.
	// To refuse it would end an EventSource for ever.
	q.returning = r.Header.Get("Last-Event-Id") != ""
	if id := lastEventID(r.Header, query); id != noPosition {
		q.cursor, e = protocol.ParseCursor(id)
		q.foreign = e != nil
	}
	return q, nil
}

// channels checks the names and leaves out repeated ones. The names are copied,
// so that they do not keep the whole query in memory.
func channels(names []string) ([]channel, *protocol.Error) {
	if len(names) == 0 {
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
	return list, nil
}

// lastEventID is the cursor the client gives back. The header is newer than the
// query: a browser keeps the address of a stream when it comes back, and sets the
// header to the last id it saw.
func lastEventID(h http.Header, query url.Values) string {
	for _, id := range []string{h.Get("Last-Event-Id"), query.Get("lastEventID"), query.Get("lastEventId")} {
		if id != "" {
			return id
		}
	}
	return ""
}

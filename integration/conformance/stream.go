package conformance

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// stream is an event stream of the server.
type stream struct {
	lines *bufio.Scanner
	timer *time.Timer // ends the wait for an event
}

// event is one event of a stream.
type event struct{ id, name, data string }

// stream opens an event stream with a query, and reads nothing.
func (r *run) stream(query url.Values, headers ...string) *stream {
	return r.streamOf(r.streamAnswer(query, headers...))
}

// streamOf returns the stream of an answer.
func (r *run) streamOf(a *http.Response) *stream {
	if a.StatusCode != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/event-stream") {
		fail("the event stream is answered with %s, %q", a.Status, a.Header.Get("Content-Type"))
	}
	s := &stream{lines: bufio.NewScanner(a.Body)}
	s.lines.Buffer(nil, maxMessage)
	s.timer = time.AfterFunc(r.target.Timeout, func() { _ = a.Body.Close() })
	r.closers = append(r.closers, func() { s.timer.Stop() })
	return s
}

func (r *run) streamAnswer(query url.Values, headers ...string) *http.Response {
	return r.request("GET", "?"+query.Encode(), nil, append(headers, "Accept", "text/event-stream")...)
}

// next reads the next event. Comments and retry lines are no events. A stream as a whole may
// take as long as one frame elsewhere, since all that is read here is there at once.
func (s *stream) next() (e event) {
	for s.lines.Scan() {
		field, value, _ := strings.Cut(s.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case s.lines.Text() == "" && e.data != "":
			return e
		case field == "id":
			e.id = value
		case field == "event":
			e.name = value
		case field == "data" && e.data == "":
			e.data = value
		case field == "data":
			e.data += "\n" + value
		}
	}
	fail("waited for an event: %v", s.lines.Err())
	panic("unreachable")
}

// until reads events up to one with a name.
func (s *stream) until(name string) event {
	for range 100 {
		if e := s.next(); e.name == name {
			return e
		}
	}
	fail("100 events came, but none with the name %q", name)
	panic("unreachable")
}

// bareID reads up to an id that belongs to no event, and returns it.
func (s *stream) bareID() (id string) {
	for data := false; s.lines.Scan(); {
		field, value, _ := strings.Cut(s.lines.Text(), ":")
		switch {
		case s.lines.Text() == "" && id != "" && !data:
			return id
		case s.lines.Text() == "":
			id, data = "", false
		case field == "id":
			id = strings.TrimPrefix(value, " ")
		case field == "data":
			data = true
		}
	}
	fail("waited for an id without an event: %v", s.lines.Err())
	panic("unreachable")
}

// comment reads up to a comment.
func (s *stream) comment() {
	for s.lines.Scan() {
		if strings.HasPrefix(s.lines.Text(), ":") {
			return
		}
	}
	fail("waited for a comment: %v", s.lines.Err())
}

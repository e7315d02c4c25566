package attacks

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
)

// attackStreams publish texts that would end a line of an event stream and begin
// another field, and look at all fields that a subscriber gets.
func attackStreams(w *world) (rows []attack) {
	for _, format := range []string{"", "&format=content"} {
		for _, text := range []string{
			"x\ndata: forged\nevent: connected\nid: 1\n\n", "x\r\rdata: forged\r\rid: 1\r", "x\r\n\r\nevent: forged\r\ndata: forged\r\n\r\n",
			"\n\nretry: 1\n\n", ":\n: forged", "\u2028data: forged\u2029\u0085data: forged", "x\x00y", "\ufeffdata: forged",
		} {
			name := strings.TrimPrefix(format, "&")
			rows = append(rows, attack{fmt.Sprintf("stream %s with content %.26q", name, text), "one event, its data alone", func(t *testing.T) string {
				return forgeEvent(t, w.site, format, quoted(text), text)
			}})
		}
	}
	rows = append(rows, attack{"stream with raw text as content", "one event, its data alone", func(t *testing.T) string {
		const text = "x\r\n\r\nevent: forged\r\ndata: forged\r\n\r\n"
		return forgeEvent(t, w.site, "&format=content", text, text, "Content-Type: text/plain")
	}})
	for _, name := range []string{"x\ndata: forged", "x\rid: 1", "x\x00", "x\u2028", "connected", "gap", "error", "open", "close", strings.Repeat("x", 65)} {
		rows = append(rows, attack{fmt.Sprintf("event name %.20q", name), "400 INVALID_MESSAGE", func(t *testing.T) string {
			return w.site.send(t, post("open:1", `{"content":1,"event":`+quoted(name)+`}`, jsonType)).String()
		}})
	}
	for _, id := range []string{"1", "x~y~1%0Adata: forged", "abcdef~%0d%0a~1", strings.Repeat("abcdef~e~1.", 300), strings.Repeat("x", 9000)} {
		id := strings.ReplaceAll(id, " ", "%20")
		rows = append(rows, attack{fmt.Sprintf("Last-Event-ID %.24q", id), "a gap", func(t *testing.T) string {
			return resumeForeign(t, w.site, id)
		}})
	}
	for _, query := range []string{"history=-1", "history=1001", "history=99999999999999999999", "history=1e3", "history=1&history=2", "Channels=x", "last_event_id=x"} {
		rows = append(rows, attack{"stream with " + query, "400 INVALID_MESSAGE", func(t *testing.T) string {
			return w.site.send(t, request{"GET", "/rt/sse?channel=open:1&" + query, nil, ""}).String()
		}})
	}
	return rows
}

// resumeForeign comes back with a cursor that the server has not given out. What it is
// given in its place is a cursor of ours.
func resumeForeign(t *testing.T, s target, id string) string {
	ev, err := s.follow(t, "channel=open:1&lastEventID="+id).next()
	switch {
	case err != nil:
		return err.Error()
	case ev["event"] != "gap" || strings.Count(ev["id"], "~") < 2 || strings.Contains(ev["data"], "forged"):
		return fmt.Sprintf("%q", ev)
	}
	return "a gap"
}

// events reads an event stream of the site, which is written to the connection
// itself.
type events struct{ in *bufio.Reader }

// follow opens a stream and reads it up to `subscribed`.
func (s target) follow(t *testing.T, query string) *events {
	t.Helper()
	conn := s.dial(t)
	if _, err := io.WriteString(conn, request{"GET", "/rt/sse?" + query, nil, ""}.text(string(s))); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the stream is answered with %+v, %v", res, err)
	}
	if len(res.TransferEncoding) > 0 {
		in = bufio.NewReader(httputil.NewChunkedReader(in))
	}
	e := &events{in}
	for {
		ev, err := e.next()
		if err != nil {
			t.Fatal(err)
		}
		if ev["event"] == "subscribed" {
			return e
		}
	}
}

// next reads an event by the rules of the HTML standard: the fields of one, with
// the lines of data joined. CR, LF and both together end a line.
func (e *events) next() (map[string]string, error) {
	fields := make(map[string]string)
	for {
		line, err := e.line()
		switch {
		case err != nil:
			return nil, err
		case line == "" && len(fields) > 0:
			return fields, nil
		case line == "", line[0] == ':':
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		if old, again := fields[name]; again {
			value = old + "\n" + value
		}
		fields[name] = value
	}
}

func (e *events) line() (string, error) {
	var line strings.Builder
	for {
		b, err := e.in.ReadByte()
		switch {
		case err != nil:
			return "", err
		case b == '\n':
			return line.String(), nil
		case b == '\r':
			if next, err := e.in.Peek(1); err == nil && next[0] == '\n' {
				_, _ = e.in.Discard(1)
			}
			return line.String(), nil
		}
		line.WriteByte(b)
	}
}

// forgeEvent publishes a body and compares what a stream gets with the text.
func forgeEvent(t *testing.T, s target, format, body, text string, header ...string) string {
	t.Helper()
	e := s.follow(t, "channel=plain:1"+format)
	if header == nil {
		header, body = []string{jsonType}, `{"content":`+body+`}`
	}
	if a := s.send(t, post("plain:1", body, header...)); a.status != http.StatusOK {
		return a.String()
	}
	if a := s.send(t, post("plain:1", `{"content":"last"}`, jsonType)); a.status != http.StatusOK {
		return a.String()
	}
	ev, err := e.next()
	if err != nil {
		return err.Error()
	}
	last, err := e.next()
	if err != nil {
		return err.Error()
	}
	want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	if format == "" {
		want = strings.Trim(quoted(text), `"`) // inside of the envelope
		if !strings.Contains(ev["data"], want) && !strings.Contains(ev["data"], `"content":`) {
			return fmt.Sprintf("data %q", ev["data"])
		}
		want = ev["data"]
	}
	switch {
	case len(ev) != 1 || ev["data"] != want:
		return fmt.Sprintf("fields %q", ev)
	case len(last) != 1 || !strings.Contains(last["data"], "last"):
		return fmt.Sprintf("another event, %q", last)
	}
	return "one event, its data alone"
}

// streamWithBody asks for a stream and goes on talking.
func streamWithBody(t *testing.T, s target) string {
	conn := s.dial(t)
	r := request{"GET", "/rt/sse?channel=open:1", nil, strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1000)}
	go func() { _, _ = io.WriteString(conn, r.text(string(s))) }() // the end may come first
	rest, _ := io.ReadAll(conn)
	if strings.Count(string(rest), "HTTP/1.1 ") > 1 || strings.Contains(string(rest), "the app") {
		return "the body was taken for requests"
	}
	return "cut"
}

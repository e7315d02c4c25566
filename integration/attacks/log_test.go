package attacks

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// forged are texts that would add a line, a field or a color to the log.
var forged = []string{
	marker + "\r\n" + `{"level":"error","logger":"http","msg":"` + marker + `"}`,
	marker + `","level":"error","` + marker + `":"x`,
	marker + `\","level":"error","` + marker + `":"x`,
	marker + "\x1b[2J\x1b[31m" + marker,
	marker + "\u2028\u0085\x7f" + marker,
	marker + "\x00\xff\xfe",
	marker + "{env.REALTIME_TEST_KEY}%s%!d",
}

// attackLogs say such texts in every place that a client fills in.
func attackLogs(w *world) []attack {
	return []attack{
		{"forged text in paths, queries and headers", "answered", func(t *testing.T) string {
			for _, text := range forged {
				forgeRequests(t, w.site, text)
			}
			return "answered"
		}},
		{"forged text in WebSocket commands and close frames", "answered", func(t *testing.T) string {
			for _, text := range forged {
				forgeCommands(t, w.site, text)
			}
			return "answered"
		}},
		{"the log after that", "each line is one JSON object, forged text stands in values only", func(t *testing.T) string {
			// The last request of forgeRequests goes to the access log.
			if !audit.await("request", len(forged)) {
				return "nothing of it was logged"
			}
			return verdict()
		}},
	}
}

func verdict() string {
	lines, faults, marked := audit.findings()
	if len(faults) > 0 {
		return fmt.Sprintf("%d lines are wrong, such as %s", len(faults), faults[0])
	}
	fields := strings.Join(slices.Sorted(maps.Keys(marked)), ", ")
	return fmt.Sprintf("each line is one JSON object, forged text stands in values only (%d lines, in the fields %s)", lines, fields)
}

// forgeRequests sends a text wherever HTTP has a place for it. Where it can not
// stand on a line as it is, the part before the line break is sent.
func forgeRequests(t *testing.T, s target, text string) {
	escaped, line := url.QueryEscape(text), strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(text)
	for _, r := range []request{
		{"GET", "/rt/" + url.PathEscape(text), nil, ""},
		{"GET", "/rt/sse?channel=open:" + escaped, nil, ""},
		{"GET", "/rt/sse?channel=open:1&format=" + escaped, nil, ""},
		{"GET", "/rt/sse?channel=open:1&lastEventID=" + escaped, nil, ""},
		{"GET", "/rt/sse?channel=open:1", []string{"Last-Event-ID: " + line}, ""},
		{"GET", "/rt/channels?prefix=" + escaped, []string{bearer(appKey)}, ""},
		{"GET", "/rt/channels/open:1/messages?epoch=" + escaped + "&offset=" + escaped, nil, ""},
		{"GET", "/rt/channels/open:1/messages?limit=" + escaped, nil, ""},
		{"GET", "/rt", handshake("Origin: http://" + line), ""},
		{"GET", "/rt", handshake("Sec-WebSocket-Protocol: " + line), ""},
		{"GET", "/rt", handshake("X-User: " + line), ""},
		{"GET", "/rt", handshake("Sec-WebSocket-Version: " + line), ""},
		{"GET", "/rt/channels", []string{bearer(line)}, ""},
		post("open:1", text, "Content-Type: "+line),
		post("open:1", text, "Content-Encoding: "+line),
		post("open:1", text, "Idempotency-Key: "+line),
		post("open:1", `{"content":1,`+quoted(text)+`:1}`, jsonType),
		post("open:1", `{"content":1,"event":`+quoted(text)+`}`, jsonType),
		{"GET", "/rt/channels/" + url.PathEscape("open:"+text) + "/messages", []string{"User-Agent: " + strings.ReplaceAll(marker+line, "\x1b", ""), "Referer: " + url.QueryEscape(line)}, ""},
	} {
		if _, err := s.try(t, r); err != nil {
			t.Errorf("%s %s: %v", r.method, r.path, err)
		}
	}
}

// forgeCommands sends a text in each field of the protocol.
func forgeCommands(t *testing.T, s target, text string) {
	q := quoted(text)
	for _, command := range []string{
		`{"type":` + q + `}`,
		`{"type":"ping","id":` + q + `}`,
		`{"type":"ping",` + q + `:1}`,
		`{"type":"subscribe","payload":{"channel":` + q + `}}`,
		`{"type":"subscribe","payload":{"channel":"open:1","recover":{"epoch":` + q + `,"offset":1}}}`,
		`{"type":"message","payload":{"channel":"open:1","content":` + q + `,"event":` + q + `}}`,
		`{"type":"message","payload":{"channel":"open:1","content":` + q + `,"key":` + q + `}}`,
		`{"type":"authenticate","payload":{"token":` + q + `}}`,
		q, text,
	} {
		c := s.connect(t)
		c.say(t, command)
		end := binary.BigEndian.AppendUint16(nil, 4000)
		if _, err := c.conn.Write(frame(headClose, string(end)+strings.ToValidUTF8(text, "")[:len(marker)])); err != nil {
			t.Error(err)
		}
		c.fate()
		_ = c.conn.Close()
	}
}

package sse_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/sse"
)

// FuzzMessage encodes a message between two others and reads the stream like a
// browser: whatever content, event name and channel are, three events arrive, the
// middle one as it was published and the others untouched. What a content that is
// not bare JSON in UTF-8 reads like is left open.
func FuzzMessage(f *testing.F) {
	f.Add(`"a\nb"`, "tick", "chat:1", true)
	f.Add("\"\\r\\n\\r\\nevent: gap\\rdata: x\\n\\n\"", "", "chat:1", true)
	f.Add("{\n\n\"a\":1}", "x\n\nid: 1", "a\nb", false)
	f.Add("\ufeff", "\x00", "\u2028", true)
	f.Fuzz(func(t *testing.T, content, name, channel string, asContent bool) {
		e := sse.Encoder{Content: asContent}
		fence := message(`"fence"`, "", position)
		m := &hub.Message{Channel: channel, Content: []byte(content), Event: name, Time: when, Position: position}
		stream := e.AppendEvent(nil, fence)
		stream = e.AppendEvent(stream, m)
		stream = e.AppendEvent(stream, fence)

		s := newSource(bytes.NewReader(stream))
		got := s.all()
		if len(got) != 3 || got[0] != got[2] || s.retry != 0 {
			t.Fatalf("got %q, stream %q", got, stream)
		}
		if id := cursor(channel, position); got[1].id != id {
			t.Errorf("id %q, want %q", got[1].id, id)
		}
		if want := plainName(name); got[1].name != want {
			t.Errorf("name %q, want %q", got[1].name, want)
		}
		if want := dataOf(m, asContent); got[1].data != want && proper(m.Content) {
			t.Errorf("data %q, want %q", got[1].data, want)
		}
	})
}

// proper reports whether content is what a publisher's content is made to be.
func proper(content []byte) bool {
	return json.Valid(content) && utf8.Valid(content) && len(bytes.TrimSpace(content)) == len(content)
}

func plainName(name string) string {
	if name == "" || strings.ContainsAny(name, "\r\n") {
		return "message"
	}
	return name
}

// dataOf is what the listener should get: in data, only the kind of line break is
// lost.
func dataOf(m *hub.Message, asContent bool) string {
	data := string(protocol.AppendEnvelope(nil, m))
	if asContent {
		data = string(m.Content)
		var s string
		if strings.HasPrefix(data, `"`) && json.Unmarshal(m.Content, &s) == nil {
			data = s
		}
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(data)
}

package redis

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func TestFrameOfTags(t *testing.T) {
	for _, tags := range []string{"", `{"team":"red"}`, `{"a":"\n,\"tags\":{}"}`} {
		for _, content := range []string{`1`, `{"tags":{"x":1}}`, `"\n,\"tags\":"`} {
			m := &hub.Message{Channel: "c", Content: []byte(content), Tags: []byte(tags), Event: "e", Sender: "s", Time: time.Unix(0, 7)}
			got, err := parseMessage("c", string(appendMessage(nil, m)))
			if err != nil || string(got.Content) != content || string(got.Tags) != tags {
				t.Errorf("%s %s: %+v, %v", content, tags, got, err)
			}
		}
	}
}

// A node of an earlier version takes all that follows the sender for the content, and writes it at
// the end of the payload.
func TestEarlierVersionsReadTags(t *testing.T) {
	m := &hub.Message{Content: []byte(`{"a":1}`), Tags: []byte(`{"team":"red"}`)}
	frame := appendMessage(nil, m)
	content := frame[1+4+8+1+1:]
	var payload struct {
		Content struct{ A int }
		Tags    struct{ Team string }
	}
	text := bytes.Join([][]byte{[]byte(`{"channel":"c","content":`), content, []byte("}")}, nil)
	if err := json.Unmarshal(text, &payload); err != nil || payload.Content.A != 1 || payload.Tags.Team != "red" {
		t.Errorf("%s: %+v, %v", text, payload, err)
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(string(appendMessage(nil, &hub.Message{Content: []byte(`1`), Tags: []byte(`{"a":1}`), Event: "e"})))
	f.Add(string(appendMessage(nil, &hub.Message{Content: []byte(`{"a":"\n"}`), Sender: "s"})))
	f.Fuzz(func(t *testing.T, frame string) {
		m, err := parseMessage("c", frame)
		if err != nil {
			return
		}
		again, err := parseMessage("c", string(appendMessage(nil, m)))
		if err != nil || !bytes.Equal(again.Content, m.Content) || !bytes.Equal(again.Tags, m.Tags) || again.Event != m.Event || again.Sender != m.Sender {
			t.Fatalf("%q: %+v becomes %+v, %v", frame, m, again, err)
		}
	})
}

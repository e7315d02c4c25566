package protocol

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// envelope is a message as encoding/json would write it.
type envelope struct {
	Type      string  `json:"type"`
	Timestamp int64   `json:"timestamp"`
	Payload   payload `json:"payload"`
}

type payload struct {
	Channel string          `json:"channel"`
	Offset  *uint64         `json:"offset,omitempty"`
	Anchor  string          `json:"anchor,omitempty"`
	Sender  string          `json:"sender,omitempty"`
	Event   string          `json:"event,omitempty"`
	To      *address        `json:"to,omitempty"`
	From    *address        `json:"from,omitempty"`
	Content json.RawMessage `json:"content"`
}

type address struct {
	User       string `json:"user,omitempty"`
	Connection string `json:"connection,omitempty"`
}

func FuzzMessage(f *testing.F) {
	for _, s := range strs {
		f.Add("chat:42", []byte(`{"text":"hi"}`), s, "ann", int64(1700000000123), "k3v9x2m7", uint64(17), uint32(0x9c1f03aa))
		f.Add(s, []byte(`null`), "", s, int64(-1), "", uint64(0), uint32(0))
	}
	for _, s := range texts {
		f.Add("a", []byte(s), "", "", int64(0), "e", uint64(1)<<63, uint32(1))
	}
	f.Fuzz(func(t *testing.T, channel string, content []byte, event, sender string, ms int64, epoch string, offset uint64, anchor uint32) {
		content, err := DecodeContent(content)
		if err != nil {
			return
		}
		m := &hub.Message{
			Channel: channel, Content: content, Event: event, Sender: sender, Time: time.UnixMilli(ms),
			Position: hub.Position{Epoch: epoch, Offset: offset, Anchor: anchor},
		}
		want := envelope{TypeMessage, m.Time.UnixMilli(), payload{Channel: channel, Sender: sender, Event: event}}
		if epoch != "" {
			want.Payload.Offset = &offset
			if anchor != 0 {
				want.Payload.Anchor = string(AppendAnchor(nil, anchor))
			}
		}
		if sender != "" && event != "" {
			m.Direct = &hub.Direct{To: hub.Address{User: sender}, From: hub.Address{User: event, Connection: sender}}
			want.Payload.To, want.Payload.From = &address{User: sender}, &address{event, sender}
		}
		// A RawMessage comes out of encoding/json with its own escapes changed, so
		// the content is left to stand as it is.
		want.Payload.Content = []byte("0")
		text := string(marshal(t, want))
		text = text[:len(text)-len("0}}")] + string(content) + "}}"
		if got := string(AppendEnvelope(nil, m)); got != text {
			t.Fatalf("got  %s\nwant %s", got, text)
		}
		checkEnvelope(t, AppendEnvelope(nil, m), TypeMessage)
	})
}

func TestMessageAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 1024)
	for name, m := range map[string]*hub.Message{"all": hello, "bare": bare, "escaped": {Channel: "\"\u2028\xff\n", Content: []byte("1")}} {
		if n := testing.AllocsPerRun(100, func() { dst = AppendEnvelope(dst[:0], m) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

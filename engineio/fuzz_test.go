package engineio

import (
	"bytes"
	"encoding/base64"
	"testing"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// echoes are the parts of an event, each a packet.
type echoes struct{ mute }

func (echoes) AppendEvent(dst []byte, ev hub.Event) []byte { return append(dst, ev.(packet).data...) }

func (echoes) IsBinary(ev hub.Event) bool { return ev.(packet).binary }

// FuzzPayload decodes what a client posts. What is a sequence of packets stays the same over the
// way that packets of the server take: as frames in the queue, and then as the answer of a poll.
func FuzzPayload(f *testing.F) {
	for _, s := range []string{"4hello", "4a\x1e4b", "bAP4=\x1e3", "\x1e", "b", "1", "6\x1e", "b\x1eb", "4\xff", "bAP5=", "b\r"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var frames []byte
		whole := true
		for rest, more := body, true; more; {
			var p packet
			var ok bool
			if p, rest, more, ok = cutPacket(rest); !ok {
				return
			}
			if !p.binary && !utf8.Valid(p.data) {
				t.Fatalf("%q is no text", p.data)
			}
			whole = whole && (p.binary || p.data[0] != packetOpen)
			frames = ws.Encoder{Text: echoes{}}.AppendEvent(frames, p)
		}
		if got := appendFrames(nil, frames); whole && !bytes.Equal(got, body) {
			t.Errorf("%q instead of %q", got, body)
		}
	})
}

// A text with a separator in it must not become several packets.
func TestSeparatorInAText(t *testing.T) {
	t.Parallel()
	e := ws.Encoder{Text: echoes{}}
	frames := e.AppendEvent(nil, packet{data: []byte("4a\x1e4forged")})
	frames = e.AppendEvent(frames, packet{data: []byte("\x1e\x00"), binary: true})
	if got, want := string(appendFrames([]byte("2"), frames)), "2\x1eb"+base64.StdEncoding.EncodeToString([]byte("\x1e\x00")); got != want {
		t.Errorf("%q instead of %q", got, want)
	}
}

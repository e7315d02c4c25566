package ws_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/dialect/native"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// encoder is that of connections of the native dialect.
var encoder = ws.Encoder{Text: native.Dialect{}.Encoder()}

// raw is an event whose envelope is itself.
type raw string

func (r raw) AppendEnvelope(dst []byte) []byte { return append(dst, r...) }

// decode reads a frame, which must be all there is.
func decode(t *testing.T, b []byte) frame {
	t.Helper()
	w := newWire(t, bytes.NewBuffer(b))
	f, err := w.frame()
	if err != nil || w.in.Buffered() > 0 {
		t.Fatalf("%v, %d bytes left", err, w.in.Buffered())
	}
	return f
}

func TestEventFrames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ size, header int }{
		{1, 2}, {125, 2}, {126, 4}, {127, 4}, {65535, 4}, {65536, 10}, {200000, 10},
	} {
		payload := strings.Repeat("0123456789", c.size/10+1)[:c.size]
		before := []byte("before")
		b := encoder.AppendEvent(before, raw(payload))
		if !bytes.HasPrefix(b, before) || len(b) != len(before)+c.header+c.size {
			t.Fatalf("%d bytes of payload make %d of frame", c.size, len(b)-len(before))
		}
		f := decode(t, b[len(before):])
		if f.head != fin|opText || string(f.payload) != payload {
			t.Errorf("%d bytes: frame %#x with another payload", c.size, f.head)
		}
	}
}

func TestEventsWithoutForm(t *testing.T) {
	t.Parallel()
	for _, ev := range []hub.Event{raw(""), struct{}{}, nil} {
		if b := encoder.AppendEvent([]byte("x"), ev); string(b) != "x" {
			t.Errorf("%T gave %q", ev, b)
		}
	}
}

func TestControlFrames(t *testing.T) {
	t.Parallel()
	if f := decode(t, encoder.AppendPing(nil)); f.head != fin|opPing || len(f.payload) != 0 {
		t.Errorf("ping %+v", f)
	}
	if f := decode(t, encoder.AppendEvent(nil, ws.Pong("x"))); f.head != fin|opPong || string(f.payload) != "x" {
		t.Errorf("pong %+v", f)
	}
}

func TestCloseFrames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, want uint16 }{
		{0, 1011}, {999, 1011}, {1000, 1000}, {1003, 1003}, {1004, 1011}, {1005, 1011}, {1006, 1011},
		{1007, 1007}, {1013, 1013}, {1014, 1014}, {1015, 1011}, {2999, 1011}, {3000, 3000}, {4500, 4500}, {4999, 4999}, {5000, 1011},
	} {
		f := decode(t, encoder.AppendClose(nil, hub.Reason{Code: c.code, Text: "why"}))
		if code := binary.BigEndian.Uint16(f.payload); f.head != fin|opClose || code != c.want || string(f.payload[2:]) != "why" {
			t.Errorf("%d became %d", c.code, code)
		}
	}
	for _, text := range []string{strings.Repeat("a", 123), strings.Repeat("é", 80), strings.Repeat("€", 80), strings.Repeat("🙂", 80)} {
		f := decode(t, encoder.AppendClose(nil, hub.Reason{Code: 1000, Text: text}))
		got := f.payload[2:]
		if len(f.payload) > 125 || len(got) < 120 || !utf8.Valid(got) || !strings.HasPrefix(text, string(got)) {
			t.Errorf("%d bytes of text became %q", len(text), got)
		}
	}
}

func TestEncodersAreOne(t *testing.T) {
	t.Parallel()
	var a, b hub.Encoder = ws.Encoder{Text: native.Dialect{}.Encoder()}, encoder
	if a != b {
		t.Error("connections would not share the bytes of a broadcast")
	}
}

func message(size int) *hub.Message {
	return &hub.Message{
		Channel: "chat:42", Sender: "user-4711", Time: time.Now(),
		Content:  []byte(`"` + strings.Repeat("x", size-2) + `"`),
		Position: hub.Position{Epoch: "ab12cd34", Offset: 12345, Anchor: 0xdeadbeef},
	}
}

func BenchmarkEncode(b *testing.B) {
	m := message(128)
	b.Run("fresh", func(b *testing.B) { // what a broadcast does, once for all members
		b.ReportAllocs()
		for b.Loop() {
			encoder.AppendEvent(nil, m)
		}
	})
	b.Run("appended", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 0, 4096)
		for b.Loop() {
			encoder.AppendEvent(buf, m)
		}
	})
}

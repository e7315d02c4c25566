package ws_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// parts is an encoder of a dialect whose events may be several messages, some of them binary, and
// which has a heartbeat of its own.
type parts struct{}

type (
	several []hub.Event
	blob    string
)

func (parts) AppendEvent(dst []byte, ev hub.Event) []byte {
	switch ev := ev.(type) {
	case raw:
		return append(dst, ev...)
	case blob:
		return append(dst, ev...)
	}
	return dst
}

func (parts) Split(ev hub.Event) []hub.Event {
	s, _ := ev.(several)
	return s
}

func (parts) IsBinary(ev hub.Event) bool {
	_, ok := ev.(blob)
	return ok
}

func (parts) AppendPing(dst []byte) []byte { return append(dst, '2') }

func (parts) AppendClose(dst []byte, _ hub.Reason) []byte { return dst }

// Each part of an event is a frame of its own kind, also with compression, which takes each frame
// alone.
func TestPartsOfAnEvent(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ab", 40000)
	for name, e := range map[string]hub.Encoder{
		"plain":   ws.Encoder{Text: parts{}},
		"deflate": ws.Deflating(ws.Encoder{Text: parts{}}),
	} {
		in := newWire(t, bytes.NewBuffer(e.AppendEvent(nil, several{raw("a"), blob(long), raw(long[:400]), blob(""), blob("\xff")})))
		for i, want := range []struct {
			op      byte
			payload string
		}{{opText, "a"}, {opBinary, long}, {opText, long[:400]}, {opBinary, ""}, {opBinary, "\xff"}} {
			f, err := in.frame()
			if err != nil {
				t.Fatal(err)
			}
			got := string(f.payload)
			if f.head&rsv1 != 0 {
				got = unsqueeze(t, f.payload)
			}
			if f.head&0xF != want.op || got != want.payload || (f.head&rsv1 != 0) != (name == "deflate" && len(want.payload) > 256) {
				t.Errorf("%s: part %d is %#x with %d bytes", name, i, f.head, len(got))
			}
		}
		if in.in.Buffered() > 0 {
			t.Errorf("%s: %d bytes left", name, in.in.Buffered())
		}
	}
}

// The heartbeat of a dialect takes the place of the ping of WebSocket.
func TestPingOfTheDialect(t *testing.T) {
	t.Parallel()
	if f := decode(t, ws.Encoder{Text: parts{}}.AppendPing(nil)); f.head != fin|opText || string(f.payload) != "2" {
		t.Errorf("frame %#x %q", f.head, f.payload)
	}
	if f := decode(t, encoder.AppendPing(nil)); f.head != fin|opPing {
		t.Errorf("frame %#x %q", f.head, f.payload)
	}
}

// ending is an encoder of a dialect that says several things before the end.
type ending struct{ parts }

func (ending) AppendClose(dst []byte, _ hub.Reason) []byte { return append(dst, "41\x1e41/admin,"...) }

// Each message about the end is a frame of its own.
func TestMessagesBeforeTheEnd(t *testing.T) {
	t.Parallel()
	in := newWire(t, bytes.NewBuffer(ws.Encoder{Text: ending{}}.AppendClose(nil, hub.ReasonNormal)))
	for _, want := range []string{"41", "41/admin,"} {
		if f, err := in.frame(); err != nil || f.head != fin|opText || string(f.payload) != want {
			t.Fatalf("%+v, %v instead of %s", f, err, want)
		}
	}
	if f, err := in.frame(); err != nil || f.head != fin|opClose {
		t.Fatalf("%+v, %v", f, err)
	}
}

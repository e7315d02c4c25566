package sse_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/sse"
)

var (
	position = hub.Position{Epoch: "abcd1234", Offset: 7, Anchor: 0xc0ffee}
	when     = time.UnixMilli(1700000000123)
)

func cursor(channel string, p hub.Position) string {
	var c protocol.Cursor
	c.Set(channel, p)
	return string(protocol.AppendCursor(nil, &c))
}

func message(content, event string, p hub.Position) *hub.Message {
	return &hub.Message{Channel: "chat:1", Content: []byte(content), Event: event, Sender: "ann", Time: when, Position: p}
}

func TestEncodeMessages(t *testing.T) {
	t.Parallel()
	id := cursor("chat:1", position)
	tests := []struct {
		name    string
		encoder sse.Encoder
		message *hub.Message
		want    event
	}{
		{"plain", sse.Encoder{}, message(`{"a":1}`, "", position),
			event{"message", string(protocol.AppendEnvelope(nil, message(`{"a":1}`, "", position))), id}},
		{"named", sse.Encoder{}, message(`1`, "tick", position),
			event{"tick", string(protocol.AppendEnvelope(nil, message(`1`, "tick", position))), id}},
		{"without history", sse.Encoder{}, message(`1`, "", hub.Position{}),
			event{"message", string(protocol.AppendEnvelope(nil, message(`1`, "", hub.Position{}))), ""}},
		{"id by the stamper", sse.Encoder{Stamped: true}, message(`1`, "", position),
			event{"message", string(protocol.AppendEnvelope(nil, message(`1`, "", position))), ""}},
		{"content", sse.Encoder{Content: true}, message(`{"a":[1,2]}`, "tick", position), event{"tick", `{"a":[1,2]}`, id}},
		{"content text", sse.Encoder{Content: true}, message(`"<b>hé</b>"`, "", position), event{"message", "<b>hé</b>", id}},
		{"content empty text", sse.Encoder{Content: true}, message(`""`, "", position), event{"message", "", id}},
		{"content escapes", sse.Encoder{Content: true}, message(`"\"\\\/\t\u00e9\ud83d\ude00"`, "", position), event{"message", "\"\\/\té😀", id}},
		{"content lines", sse.Encoder{Content: true}, message(`"a\nb\r\nc\rd\n"`, "", position), event{"message", "a\nb\nc\nd\n", id}},
		{"content blank lines", sse.Encoder{Content: true}, message(`"\n\nid: 1\n\n"`, "", position), event{"message", "\n\nid: 1\n\n", id}},
		{"content leading space", sse.Encoder{Content: true}, message(`"  x"`, "", position), event{"message", "  x", id}},
		{"content number", sse.Encoder{Content: true}, message(`42`, "", hub.Position{}), event{"message", "42", ""}},
		{"content not compact", sse.Encoder{Content: true}, message("{\r\n\"a\":\n1}", "", position), event{"message", "{\n\"a\":\n1}", id}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stream := tt.encoder.AppendEvent(nil, tt.message)
			got := newSource(strings.NewReader(string(stream))).all()
			if len(got) != 1 || got[0] != tt.want {
				t.Errorf("got %q\nwant %q\nstream %q", got, tt.want, stream)
			}
		})
	}
}

// A content that is not compact is against the rule, but must not break out of
// its field either.
func TestEncodeEnvelopeWithLineBreaks(t *testing.T) {
	t.Parallel()
	m := message("{\n\n\"a\":\r\n1}", "", position)
	got := newSource(strings.NewReader(string(sse.Encoder{}.AppendEvent(nil, m)))).all()
	if len(got) != 1 || !json.Valid([]byte(got[0].data)) {
		t.Errorf("got %q", got)
	}
}

func TestEncodeNameWithLineBreaks(t *testing.T) {
	t.Parallel()
	m := message(`1`, "x\ndata: forged\n\nevent: gap", position)
	got := newSource(strings.NewReader(string(sse.Encoder{Content: true}.AppendEvent(nil, m)))).all()
	if want := (event{"message", "1", cursor("chat:1", position)}); len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEncodeNamedEvents(t *testing.T) {
	t.Parallel()
	id := cursor("chat:1", position)
	tests := []struct {
		event hub.Event
		name  string
		id    string
		retry time.Duration
	}{
		{protocol.Connected{Connection: "c1", Heartbeat: time.Second}, "connected", "", 0},
		{protocol.SubscribedReply{Channel: "chat:1", Position: position}, "subscribed", id, 0},
		{protocol.SubscribedReply{Channel: "chat:1", Position: position, Recover: true, Recovered: true}, "subscribed", "", 0},
		{protocol.SubscribedReply{Channel: "chat:1"}, "subscribed", "", 0},
		{protocol.UnsubscribedReply{Channel: "chat:1"}, "unsubscribed", "", 0},
		{hub.Gap{Channel: "chat:1", Position: position}, "gap", id, 0},
		{hub.Gap{Channel: "chat:1"}, "gap", "", 0},
		{hub.Reconnect{After: 1234 * time.Millisecond, Reason: "restart"}, "reconnect", "", 1234 * time.Millisecond},
	}
	for _, content := range []bool{false, true} {
		for _, tt := range tests {
			stream := sse.Encoder{Content: content}.AppendEvent(nil, tt.event)
			s := newSource(strings.NewReader(string(stream)))
			got := s.all()
			if len(got) != 1 || got[0].name != tt.name || got[0].id != tt.id || s.retry != tt.retry {
				t.Errorf("%#v: got %q, retry %v", tt.event, got, s.retry)
				continue
			}
			if typ := envelopeType(t, got[0].data); typ != tt.name {
				t.Errorf("%#v: envelope %q", tt.event, typ)
			}
		}
	}
}

func envelopeType(t *testing.T, data string) string {
	t.Helper()
	var e struct{ Type string }
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		t.Errorf("%v: %q", err, data)
	}
	return e.Type
}

func TestEncodeUnknownEvent(t *testing.T) {
	t.Parallel()
	if got := (sse.Encoder{}).AppendEvent([]byte("x"), struct{}{}); string(got) != "x" {
		t.Errorf("got %q", got)
	}
}

func TestEncodePing(t *testing.T) {
	t.Parallel()
	s := newSource(strings.NewReader(string(sse.Encoder{}.AppendPing(nil))))
	if got := s.all(); len(got) != 0 || s.pings != 1 {
		t.Errorf("got %q and %d comments", got, s.pings)
	}
}

func TestEncodeClose(t *testing.T) {
	t.Parallel()
	for code, reconnect := range map[uint16]string{4403: "false", 4500: "true"} {
		reason := hub.Reason{Code: code, Text: "a\n\"reason\""}
		got := newSource(strings.NewReader(string(sse.Encoder{}.AppendClose(nil, reason)))).all()
		if len(got) != 1 || got[0].name != "close" {
			t.Fatalf("got %q", got)
		}
		var e struct {
			Payload struct {
				Code      uint16
				Reason    string
				Reconnect json.RawMessage
			}
		}
		if err := json.Unmarshal([]byte(got[0].data), &e); err != nil {
			t.Fatal(err)
		}
		if p := e.Payload; p.Code != code || p.Reason != reason.Text || string(p.Reconnect) != reconnect {
			t.Errorf("got %+v", p)
		}
	}
}

// Streams of one kind must share the bytes of a broadcast.
func TestEncodersCompareEqual(t *testing.T) {
	t.Parallel()
	var a, b hub.Encoder = sse.Encoder{Content: true}, sse.Encoder{Content: true}
	if a != b || a == hub.Encoder(sse.Encoder{}) {
		t.Error("encoders are not told apart by their kind")
	}
}

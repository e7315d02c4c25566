package sse_test

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/sse"
)

// BenchmarkEncode is the cost of one event, which is paid once for all streams of
// one kind.
func BenchmarkEncode(b *testing.B) {
	content := `{"text":"` + strings.Repeat("x", 118) + `"}`
	text := `"` + strings.Repeat("line\\n", 20) + `"`
	for _, bb := range []struct {
		name    string
		encoder sse.Encoder
		event   hub.Event
	}{
		{"message-128B", sse.Encoder{}, message(content, "", position)},
		{"message-128B-no-history", sse.Encoder{}, message(content, "", hub.Position{})},
		{"message-128B-stamped", sse.Encoder{Stamped: true}, message(content, "", position)},
		{"message-64KiB", sse.Encoder{}, message(`"`+strings.Repeat("x", 64<<10)+`"`, "", position)},
		{"content-128B", sse.Encoder{Content: true}, message(content, "", position)},
		{"content-text-20-lines", sse.Encoder{Content: true}, message(text, "", position)},
		{"gap", sse.Encoder{}, hub.Gap{Channel: "chat:1", Position: position}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf = bb.encoder.AppendEvent(buf[:0], bb.event)
			}
		})
	}
}

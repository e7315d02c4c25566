package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// frameOf is a client's message with a content of about n bytes.
func frameOf(n int) []byte {
	return fmt.Appendf(nil, `{"type":"message","id":42,"payload":{"channel":"chat:42","content":{"text":"%s","n":[1,2,3]},"event":"said"}}`, strings.Repeat("x", n))
}

func BenchmarkDecodeMessage(b *testing.B) {
	for _, n := range []int{100, 4 << 10} {
		frame := frameOf(n)
		b.Run(fmt.Sprintf("content:%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				c, err := Decode(frame)
				if err != nil {
					b.Fatal(err)
				}
				if _, err = DecodePublish(c.Payload); err != nil {
					b.Fatal(err)
				}
			}
		})
		// What it would cost to leave it to encoding/json, which checks less.
		b.Run(fmt.Sprintf("content:%d/encoding-json", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				var c struct {
					Type        string
					ID, Payload json.RawMessage
				}
				if err := json.Unmarshal(frame, &c); err != nil {
					b.Fatal(err)
				}
				var p Publish
				if err := json.Unmarshal(c.Payload, &p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeMessage(b *testing.B) {
	for _, n := range []int{100, 4 << 10} {
		m := &hub.Message{
			Channel: "chat:42", Content: fmt.Appendf(nil, `{"text":"%s"}`, strings.Repeat("x", n)), Event: "said", Sender: "ann",
			Time: time.UnixMilli(1700000000123), Position: position,
		}
		b.Run(fmt.Sprintf("content:%d", n), func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]byte, 0, 2*n+512)
			for b.Loop() {
				dst = AppendEnvelope(dst[:0], m)
			}
			b.SetBytes(int64(len(dst)))
		})
		b.Run(fmt.Sprintf("content:%d/encoding-json", n), func(b *testing.B) {
			b.ReportAllocs()
			var dst bytes.Buffer
			e := json.NewEncoder(&dst)
			e.SetEscapeHTML(false)
			for b.Loop() {
				dst.Reset()
				err := e.Encode(envelope{TypeMessage, m.Time.UnixMilli(), payload{Channel: m.Channel, Offset: &m.Position.Offset, Anchor: string(AppendAnchor(nil, m.Position.Anchor)), Sender: m.Sender, Event: m.Event, Content: m.Content}})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(dst.Len()))
		})
	}
}

func BenchmarkCursor(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		var c Cursor
		for i := range n {
			c.Set(fmt.Sprint("chat:", i), position)
		}
		text := string(AppendCursor(nil, &c))
		b.Run(fmt.Sprintf("append/channels:%d", n), func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]byte, 0, len(text))
			p := position
			for b.Loop() {
				p.Offset++
				c.Set("chat:0", p)
				dst = AppendCursor(dst[:0], &c)
			}
		})
		b.Run(fmt.Sprintf("parse/channels:%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseCursor(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("append/stateless", func(b *testing.B) {
		b.ReportAllocs()
		dst := make([]byte, 0, 64)
		for b.Loop() {
			var c Cursor
			c.Set("chat:42", position)
			dst = AppendCursor(dst[:0], &c)
		}
	})
}

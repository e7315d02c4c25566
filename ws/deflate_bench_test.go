package ws_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// list is JSON of about n bytes, like lists of an app.
func list(n int) string {
	var b strings.Builder
	b.WriteByte('[')
	for i := 0; b.Len() < n-60; i++ {
		fmt.Fprintf(&b, `{"id":%d,"name":"Item %d","state":"%s","price":%d.%02d},`, 41873+i*7, i,
			[]string{"open", "sold", "reserved"}[i*i%3], i*37%211, i*53%100)
	}
	return b.String() + `{"end":true}]`
}

// BenchmarkDeflateEncode is a message of a room as a frame, once for all members.
func BenchmarkDeflateEncode(b *testing.B) {
	for _, size := range []int{40, 256, 512, 1024, 4096, 32768} {
		content := list(size)
		if size == 40 {
			content = `{"id":41873,"x":1042,"y":377,"by":"ann"}`
		}
		m := &hub.Message{Channel: "open:room", Content: []byte(content)}
		for _, e := range []struct {
			name    string
			encoder hub.Encoder
		}{{"off", encoder}, {"on", ws.Deflating(encoder)}} {
			b.Run(fmt.Sprintf("%d/%s", size, e.name), func(b *testing.B) {
				var buf []byte
				b.ReportAllocs()
				for b.Loop() {
					buf = e.encoder.AppendEvent(buf[:0], m)
				}
				b.ReportMetric(float64(len(buf)), "B/frame")
			})
		}
	}
}

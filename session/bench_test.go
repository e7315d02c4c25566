package session

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// void is a transport that takes everything at once.
type void struct{}

func (void) Write([]byte) error             { return nil }
func (void) TryWrite(p []byte) (int, error) { return len(p), nil }
func (void) Close()                         {}

func BenchmarkReceive(b *testing.B) {
	w := newWorld(b, Limits{}, append(open("a:*", "b:*"), kept("h:*", 100))...)
	for name, frame := range map[string]string{
		"ping":                `{"type":"ping","id":1}`,
		"message":             `{"type":"message","payload":{"channel":"b:1","content":{"text":"hello"}}}`,
		"message-ack":         `{"type":"message","id":1,"payload":{"channel":"b:1","content":{"text":"hello"}}}`,
		"message-history-ack": `{"type":"message","id":1,"payload":{"channel":"h:1","content":{"text":"hello"}}}`,
		"forbidden":           `{"type":"message","id":1,"payload":{"channel":"c:1","content":{"text":"hello"}}}`,
	} {
		b.Run(name, func(b *testing.B) {
			s, e := w.registry.Open(named("ann"), Options{Transport: void{}, Encoder: native, Dialect: dialect})
			if e != nil {
				b.Fatal(e)
			}
			defer s.Conn().Close(hub.ReasonNormal)
			b.ReportAllocs()
			for b.Loop() {
				s.Receive([]byte(frame), false)
			}
		})
	}
}

package session

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// FuzzReceive holds that no frame panics, that each command with an id is answered
// exactly once, and that everything written is JSON.
func FuzzReceive(f *testing.F) {
	for _, frame := range []string{
		ping1, `{`, `{"id":7}`, `{"id":"x","type":"dance"}`, subscribeTo("a"), subscribeTo("h"), subscribeTo("nowhere"),
		`{"type":"subscribe","id":1,"payload":{"channel":"h","history":5}}`,
		`{"type":"subscribe","id":1,"payload":{"channel":"h","recover":{"epoch":"e","offset":1,"anchor":"0000abcd"}}}`,
		`{"type":"message","id":1,"payload":{"channel":"h","content":{"a":[1,2]},"event":"e","key":"k"}}`,
		`{"type":"history","id":1,"payload":{"channel":"h","since":{"epoch":"e","offset":0},"limit":3}}`,
		`{"type":"unsubscribe","id":1,"payload":{"channel":"b"}}`,
	} {
		f.Add([]byte(frame))
	}
	w := newWorld(f, Limits{}, append(open("a", "b"), kept("h", 5))...)
	f.Fuzz(func(t *testing.T, frame []byte) {
		c := &client{t: t, wire: newWire()}
		closed := make(chan hub.Reason, 1)
		var e *protocol.Error
		c.Session, e = w.registry.Open(named("ann"), Options{
			Transport: c.wire, Encoder: native, Dialect: dialect, OnClose: func(r hub.Reason) { closed <- r },
		})
		if e != nil {
			t.Fatal(e)
		}
		c.Receive(frame, false)
		c.Conn().Close(hub.ReasonNormal)
		if r := <-closed; r != hub.ReasonNormal {
			t.Errorf("ended with %v", r)
		}
		cmd, _ := protocol.Decode(frame)
		if got := answers(t, c, cmd.ID); cmd.ID != nil && got != 1 {
			t.Errorf("%q was answered %d times", frame, got)
		}
	})
}

// answers waits until everything is written and counts the frames with an id.
func answers(t *testing.T, c *client, id json.RawMessage) (n int) {
	<-c.wire.closed
	for _, line := range c.wire.take() {
		var got struct{ ID json.RawMessage }
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if id != nil && strings.TrimSpace(string(got.ID)) == string(id) {
			n++
		}
	}
	return n
}

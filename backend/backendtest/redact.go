package backendtest

import (
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// historyRedacted: the content of one message is gone, and nothing else has changed.
func historyRedacted(e *env) {
	r := e.attached(hundred)
	b, ok := r.b.(hub.Redactor)
	if !ok {
		e.t.Skip("the broker can not redact")
	}
	sent := r.publish(10)
	top := sent[9].Position
	redact := func(at hub.Position, want bool) {
		e.t.Helper()
		if found, err := b.Redact(e.t.Context(), r.channel, hundred, at); found != want || err != nil {
			e.t.Errorf("redacting %+v: %t, %v", at, found, err)
		}
	}
	for range 2 { // the second time changes nothing
		redact(sent[4].Position, true)
	}
	redact(hub.Position{Offset: sent[9].Position.Offset}, true)
	for _, at := range []hub.Position{{Epoch: "another", Offset: 5}, {Epoch: top.Epoch, Offset: top.Offset + 1}, {Epoch: top.Epoch}} {
		redact(at, false)
	}
	want := append([]*hub.Message(nil), sent...)
	want[4], want[9] = sent[4].Redacted(), sent[9].Redacted()
	page := r.newest(100)
	r.page("the newest", page, top, false, false)
	expect(e.t, page.Messages, want)
	page = r.since(sent[4].Position, 100) // its anchor is as before
	r.page("since the redacted one", page, top, false, false)
	expect(e.t, page.Messages, want[5:])
	next := r.publish(1)
	page = r.since(top, 100)
	r.page("since the top, later", page, next[0].Position, false, false)
	expect(e.t, page.Messages, next)
}

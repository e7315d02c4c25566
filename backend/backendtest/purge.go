package backendtest

import (
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// historyPurged: the messages are gone, the position stays, and whoever is not at the top
// learns that something is lost.
func historyPurged(e *env) {
	r := e.attached(hundred)
	p, ok := r.b.(hub.Purger)
	if !ok {
		e.t.Skip("the broker can not purge")
	}
	sent := r.publish(10)
	top := sent[9].Position
	if n, err := p.Purge(e.t.Context(), r.channel, hundred); n != 10 || err != nil {
		e.t.Fatalf("%d were removed, %v", n, err)
	}
	if n, err := p.Purge(e.t.Context(), r.channel, hundred); n != 0 || err != nil {
		e.t.Errorf("%d were removed once more, %v", n, err)
	}
	r.page("the newest", r.newest(100), top, false, false)
	r.page("since the top", r.since(top, 100), top, false, false)
	r.page("since the middle", r.since(sent[4].Position, 100), top, true, false)
	next := r.publish(1)
	if want := top.Offset + 1; next[0].Position.Offset != want || next[0].Position.Epoch != top.Epoch {
		e.t.Errorf("the next message is at %+v", next[0].Position)
	}
	page := r.since(top, 100)
	r.page("since the top, later", page, next[0].Position, false, false)
	expect(e.t, page.Messages, next)
}

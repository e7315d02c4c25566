package backendtest

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func retentionShrinks(e *env) {
	r := e.attached(hundred)
	sent := r.publish(10)
	top := sent[9].Position
	r.keep.Size = 4
	page := r.newest(100)
	r.page("the newest", page, top, false, false)
	expect(e.t, page.Messages, sent[6:])
	r.lost("since what is no longer kept", sent[4].Position, sent[6:], top)

	sent = append(sent, r.publish(1)...)
	contiguous(e.t, sent, 1)
	expect(e.t, r.newest(100).Messages, sent[7:])

	r.keep.Size = 6
	sent = append(sent, r.publish(5)...)
	contiguous(e.t, sent, 1)
	expect(e.t, r.newest(100).Messages, sent[len(sent)-6:])
}

// After a time without history no client may believe that it has everything.
func retentionEnds(e *env) {
	r := e.attached(hundred)
	old := r.publish(3)[2].Position
	r.wait(3) // what is on its way when the log ends may be skipped, as a gap
	r.keep.Size = 0
	if m := r.publish(1)[0]; m.Position != (hub.Position{}) {
		e.t.Errorf("published at %+v into a room without history", m.Position)
	}
	if page := r.newest(100); len(page.Messages) != 0 {
		e.t.Errorf("a room without history has %d messages", len(page.Messages))
	}
	r.keep.Size = 100
	sent := r.publish(2)
	if sent[0].Position.Epoch == old.Epoch {
		e.t.Error("the epoch goes on over messages that have no position")
	}
	r.lost("since the time before", old, sent, sent[1].Position)
	r.wait(6)
}

// Messages expire and the position stays: a client that has everything misses nothing.
func retentionTTL(e *env) {
	r := e.attached(hub.Retention{Size: 100, TTL: 50 * time.Millisecond})
	top := r.publish(3)[2].Position
	r.untilEmpty()
	page := r.since(top, 10)
	if page.Lost || page.More || page.Top.Epoch != top.Epoch || page.Top.Offset != top.Offset {
		e.t.Errorf("at the top of an expired room: %+v, want the position %+v", page, top)
	}
	if page := r.since(hub.Position{Epoch: top.Epoch, Offset: 1}, 10); !page.Lost {
		e.t.Errorf("messages expired, and the page does not say so: %+v", page)
	}
	if next := r.publish(1)[0].Position; next.Epoch != top.Epoch || next.Offset != top.Offset+1 {
		e.t.Errorf("after expiry the room goes on at %+v", next)
	}
}

// untilEmpty reads until all messages have expired. Nothing announces that, so it reads
// again and again.
func (r *room) untilEmpty() {
	r.t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	over := time.NewTimer(patience)
	defer over.Stop()
	for len(r.newest(10).Messages) > 0 {
		select {
		case <-again.C:
		case <-over.C:
			r.t.Fatal("messages do not expire")
		}
	}
}

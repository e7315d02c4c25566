package backendtest

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

// outboxHolds: what a sink holds back is there for its next sender, until the sink says otherwise.
func outboxHolds(e *outboxEnv) {
	_, q := e.fill(2)
	b := e.next(q, testSink, e.fences[q], 1)
	if len(b.Held) != 0 || time.Since(b.Formed).Abs() > time.Minute {
		e.Fatalf("a first batch has %+v at %v", b.Held, b.Formed)
	}
	held := notify.Event{ID: "1", Type: notify.Left, Channel: "room", User: "ann\n\x00", Seq: 1, Time: b.Formed.UTC().Truncate(time.Millisecond)}
	e.done(q, testSink, e.fences[q], notify.Outcome{Held: []notify.Event{held}})
	_ = q.Release(e.Context(), testSink, e.fences[q])
	fence := e.claim(q, testSink, "another")
	holds := func(what string, n int, want ...notify.Event) {
		e.Helper()
		b := e.next(q, testSink, fence, 10)
		if len(b.Events) != n || len(b.Held) != len(want) {
			e.Fatalf("%s: %d events, and %+v is held", what, len(b.Events), b.Held)
		}
		for i, w := range want {
			if got := b.Held[i]; got.ID != w.ID || got.Type != w.Type || got.User != w.User || !got.Time.Equal(w.Time) {
				e.Errorf("%s: %+v is held, not %+v", what, got, w)
			}
		}
	}
	holds("the next batch", 1, held)
	holds("the same again", 1, held)
	e.done(q, testSink, fence, notify.Outcome{Held: []notify.Event{held, held}})
	holds("without events", 0, held, held)
	e.done(q, testSink, fence, notify.Outcome{Held: []notify.Event{held}})
	holds("less without events", 0, held)
	e.done(q, testSink, fence, notify.Outcome{})
	holds("nothing", 0)
}

// outboxRecordsOfDialects: events that only dialects know are recorded if they are chosen.
func outboxRecordsOfDialects(e *outboxEnv) {
	e.Choose(notify.NewChoice([]notify.Type{notify.CacheMiss}, func(channel string) bool { return channel == "room" }), notify.Bounds{})
	e.claimAll(testSink)
	for _, ev := range []notify.Event{
		{Type: notify.CacheMiss, Channel: "other"}, {Type: notify.CacheMiss, Channel: "room"},
	} {
		if err := e.Record(e.Context(), ev); err != nil {
			e.Fatal(err)
		}
	}
	got := e.receive(testSink, 1)
	if len(got) != 1 || got[0].Type != notify.CacheMiss || got[0].Channel != "room" {
		e.Errorf("recorded: %+v", got)
	}
}

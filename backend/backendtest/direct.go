package backendtest

import (
	"context"
	"errors"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// direct returns a new message to one member.
func (r *room) direct(d hub.Direct) *hub.Message {
	m := r.message()
	m.Position, m.Direct = hub.Position{}, &d
	return m
}

var (
	ann  = hub.Address{User: "ann", Connection: "abcdefgh23456723"}
	anon = hub.Address{Connection: "zyxwvuts76543276"}
)

// send publishes a message to one member, which never has a position.
func (r *room) send(m *hub.Message, key string) hub.Published {
	r.t.Helper()
	p, err := r.b.Publish(r.t.Context(), m, hub.PublishOptions{Retention: r.keep, Key: key})
	if err != nil || p.Position != (hub.Position{}) || m.Position != (hub.Position{}) || p.Degraded {
		r.t.Fatalf("published %+v at %+v, %v", p, m.Position, err)
	}
	return p
}

// A message to one member is delivered with its addresses, whatever they are, in order with
// the messages to the room.
func directDelivers(e *env) {
	for _, keep := range []hub.Retention{{}, hundred} {
		r := e.attached(keep)
		var sent []*hub.Message
		for _, d := range []hub.Direct{
			{To: ann}, {To: hub.Address{User: "*"}, From: anon}, {To: anon, From: ann},
			{To: hub.Address{User: "d::h1:5:\x01"}, From: hub.Address{User: "ü:e"}}, {},
		} {
			m := r.direct(d)
			r.send(m, "")
			sent = append(append(sent, m), r.publish(1)...)
		}
		expect(e.t, r.wait(len(sent)), sent)
	}
	e.room(hundred).send(e.room(hundred).direct(hub.Direct{To: ann}), "") // nobody is there
}

// A message to one member does not enter the log and does not start one. Later messages get
// the same offsets as without it.
func directPassesByTheLog(e *env) {
	r := e.attached(hundred)
	first := r.publish(1)[0]
	for range 3 {
		r.send(r.direct(hub.Direct{To: ann}), "")
	}
	r.send(r.direct(hub.Direct{To: ann}), "key")
	second := r.publish(1)[0]
	page := r.newest(10)
	expect(e.t, page.Messages, []*hub.Message{first, second})
	contiguous(e.t, page.Messages, 1)
	if page = r.since(first.Position, 10); page.Lost || page.Top != second.Position {
		e.t.Errorf("since the first message: %+v", page)
	}
	if got := r.wait(6); len(got) != 6 {
		e.t.Errorf("%d messages arrived", len(got))
	}
}

// A key works as for every message.
func directKey(e *env) {
	for _, keep := range []hub.Retention{{}, hundred} {
		r := e.attached(keep)
		a, b := r.direct(hub.Direct{To: ann}), r.direct(hub.Direct{To: ann})
		for i, m := range []*hub.Message{a, again(a), b, again(b)} {
			key := "a"
			if i >= 2 {
				key = "b"
			}
			if p := r.send(m, key); p.Duplicate != (i%2 == 1) {
				e.t.Errorf("message %d: %+v", i, p)
			}
		}
		other := again(a)
		other.Direct = &hub.Direct{To: anon}
		r.reuse("a", other)
		r.reuse("a", r.direct(*a.Direct))
		r.reuse("a", again(b))
		expect(e.t, r.fence(), []*hub.Message{a, b})
	}
}

// A message that was not published does not use up its key.
func directCancelled(e *env) {
	ctx, cancel := context.WithCancel(e.t.Context())
	cancel()
	r := e.attached(hundred)
	m := r.direct(hub.Direct{To: ann})
	if _, err := r.b.Publish(ctx, m, hub.PublishOptions{Retention: r.keep, Key: "key"}); !errors.Is(err, context.Canceled) {
		e.t.Errorf("publish with a cancelled context: %v", err)
	}
	if p := r.send(m, "key"); p.Duplicate {
		e.t.Error("the key was used up")
	}
	expect(e.t, r.fence(), []*hub.Message{m})
}

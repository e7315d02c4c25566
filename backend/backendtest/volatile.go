package backendtest

import "github.com/caddy-realtime/caddy-realtime/hub"

// volatile returns a new volatile message.
func (r *room) volatile() *hub.Message {
	m := r.message()
	m.Position, m.Volatile = hub.Position{}, true
	return m
}

// A volatile message is delivered to the room, and arrives as a volatile one. A hub sends it
// to rooms with history alone.
func volatileDelivers(e *env) {
	r := e.attached(hundred)
	a, b := r.volatile(), r.volatile()
	r.send(a, "")
	placed := r.publish(1)
	r.send(b, "")
	got := r.wait(3)
	expect(e.t, got, []*hub.Message{a, placed[0], b})
	for i, m := range got {
		if m.Volatile != (i != 1) {
			e.t.Errorf("message %d: volatile %v", i, m.Volatile)
		}
	}
	e.room(hundred).send(e.room(hundred).volatile(), "") // nobody is there
}

// A volatile message does not enter the log and does not start one. Later messages get the
// same offsets as without it.
func volatilePassesByTheLog(e *env) {
	r := e.attached(hundred)
	r.send(r.volatile(), "")
	first := r.publish(1)[0]
	for range 3 {
		r.send(r.volatile(), "")
	}
	second := r.publish(1)[0]
	page := r.newest(10)
	expect(e.t, page.Messages, []*hub.Message{first, second})
	contiguous(e.t, page.Messages, 1)
	if page = r.since(first.Position, 10); page.Lost || page.Top != second.Position {
		e.t.Errorf("since the first message: %+v", page)
	}
	r.wait(6)
}

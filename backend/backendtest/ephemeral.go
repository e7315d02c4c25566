package backendtest

import (
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func ephemeralDelivers(e *env) {
	r := e.attached(hub.Retention{})
	sent := r.publish(50)
	for _, m := range sent {
		if m.Position != (hub.Position{}) {
			e.t.Fatalf("published at %+v", m.Position)
		}
	}
	expect(e.t, r.wait(50), sent)
}

// Without positions only the order of each publisher counts.
func ephemeralConcurrently(e *env) {
	const publishers, each = 6, 40
	r := e.attached(hub.Retention{})
	var sent [publishers][]*hub.Message
	e.concurrently(publishers, func(i int) error {
		for range each {
			m, p, err := r.try(e.t.Context(), "")
			if err != nil || p.Duplicate {
				return fmt.Errorf("publish: %+v, %v", p, err)
			}
			sent[i] = append(sent[i], m)
		}
		return nil
	})
	got := r.wait(publishers * each)
	if len(got) != publishers*each {
		e.t.Fatalf("%d messages arrived, %d were sent", len(got), publishers*each)
	}
	for i := range sent {
		last := -1
		for _, m := range sent[i] {
			k := index(got, m)
			if k <= last {
				e.t.Fatalf("a message of publisher %d came at place %d after %d", i, k, last)
			}
			last = k
		}
	}
}

func ephemeralHistory(e *env) {
	r := e.attached(hub.Retention{})
	r.publish(3)
	page := r.newest(10)
	if len(page.Messages) != 0 || page.Top != (hub.Position{}) || page.Lost || page.More {
		e.t.Errorf("the history of a room without any: %+v", page)
	}
	page = r.since(hub.Position{Epoch: "zzzzzzzz", Offset: 1}, 10)
	if len(page.Messages) != 0 || page.Top != (hub.Position{}) {
		e.t.Errorf("since a position in a room without history: %+v", page)
	}
}

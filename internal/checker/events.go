package checker

import (
	"encoding/json"
	"fmt"
	"sync"
)

// AppEvent is an event for the app, as the checker reads it.
type AppEvent struct {
	ID, Type, Channel, User, Connection, Sender string
	Seq                                         uint64
	Offset, Version                             uint64
	Count                                       int
	Content                                     json.RawMessage
}

// Events checks what an app was notified of: every event is the same whenever it comes, none comes
// before its predecessor, and what starts also ends, in turn. The zero Events is ready for use.
type Events struct {
	mu       sync.Mutex
	all      []AppEvent          // each once, in the order of the first deliveries
	seen     map[string]AppEvent // by id
	last     map[string]AppEvent // the latest event of each channel or connection
	present  map[string]bool     // what has started and not ended
	repeated int
	errors   []string
}

// Deliver notes the body of a request that the app has accepted or may have seen.
func (c *Events) Deliver(body []byte) error {
	var parsed struct{ Data struct{ Events []AppEvent } }
	if err := json.Unmarshal(body, &parsed); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen, c.last, c.present = make(map[string]AppEvent), make(map[string]AppEvent), make(map[string]bool)
	}
	for _, e := range parsed.Data.Events {
		c.take(e)
	}
	return nil
}

func (c *Events) fail(format string, args ...any) {
	if len(c.errors) < 20 {
		c.errors = append(c.errors, fmt.Sprintf(format, args...))
	}
}

// take checks one event. Needs mu.
func (c *Events) take(e AppEvent) {
	if first, again := c.seen[e.ID]; again {
		c.repeated++
		if first.Seq != e.Seq || first.Type != e.Type || first.Channel != e.Channel || first.Connection != e.Connection {
			c.fail("the id %s has two events: %+v and %+v", e.ID, first, e)
		}
		return
	}
	c.seen[e.ID] = e
	c.all = append(c.all, e)
	if e.Type == "lost" {
		return
	}
	of := e.Channel
	if of == "" {
		of = "connection " + e.Connection
	}
	if before, ok := c.last[of]; ok && before.Seq >= e.Seq {
		c.fail("%s: after %+v comes %+v", of, before, e)
	}
	c.last[of] = e
	switch e.Type {
	case "connected", "occupied":
		c.turn(of, e, true)
	case "disconnected", "vacated":
		c.turn(of, e, false)
	case "entered":
		c.turn("member "+e.User+" of "+of, e, true)
	case "left":
		c.turn("member "+e.User+" of "+of, e, false)
	}
}

// turn checks that something starts and ends in turn.
func (c *Events) turn(what string, e AppEvent, starts bool) {
	if c.present[what] == starts {
		c.fail("%s: %s comes twice in a row", what, e.Type)
	}
	if starts {
		c.present[what] = true
	} else {
		delete(c.present, what)
	}
}

// Errors returns what is wrong so far.
func (c *Events) Errors() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.errors...)
}

// Count returns how many different events of a type have come.
func (c *Events) Count(kind string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.all {
		if e.Type == kind {
			n++
		}
	}
	return n
}

// All returns each event once, in the order of the first deliveries.
func (c *Events) All() []AppEvent {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]AppEvent(nil), c.all...)
}

// Open returns how many connections, rooms and members have started and not ended. Repeated is
// how many events have come again.
func (c *Events) Open() (open, repeated int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.present), c.repeated
}

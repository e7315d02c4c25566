package session

import (
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// The records of one connection share its trail, of which a busy client has much. It counts once, until the last of them is
// gone.
func TestTicketsShareATrail(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		c := w.ticketed("ann", "one", "a", "b")
		c.Issue(Ticket{ID: "two", Group: "g", Life: ticketLife})
		for range 300 { // more changes of the room than a trail has
			w.send("a", "", "1")
			w.send("b", "", "2")
		}
		c.lose(hub.ReasonLost)
		l, size := &w.registry.lost, c.Conn().Trail().Size()
		if size < 50 || size > 70 {
			t.Errorf("the trail counts for %d entries", size)
		}
		for i, id := range []string{"", "one", "two"} {
			if got := l.redeem(id); (got == nil) != (id == "") {
				t.Errorf("%q: %v", id, got)
			}
			if want := []int{size + 2, size + 1, 0}[i]; l.rooms != want {
				t.Errorf("%d entries behind %q, not %d", l.rooms, id, want)
			}
		}
	})
}

// Connections that were in no room leave records that count, so that there are not any number of them.
func TestTicketsWithoutRooms(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		l := &w.registry.lost
		l.most = 10
		for range 15 {
			w.ticketed("ann", "secret").lose(hub.ReasonLost)
		}
		if l.rooms != 10 || l.queue.Len() != 10 {
			t.Errorf("%d records, %d entries", l.queue.Len(), l.rooms)
		}
	})
}

// Whoever voids the tickets of a connection that has ended, but has no records yet, voids them all the same.
func TestTicketOfAConnectionThatEnds(t *testing.T) {
	for name, c := range map[string]struct {
		void func(w *world, id string)
		ok   bool
	}{
		"by its id": {func(w *world, id string) { w.registry.VoidTickets([]string{id}, isAny) }, false},
		"by its room": {func(w *world, _ string) {
			w.registry.VoidTickets(nil, func(_ string, rooms []string) bool { return len(rooms) == 1 && rooms[0] == "a" })
		}, false},
		"by its user":     {func(w *world, _ string) { w.registry.lost.void(Target{User: "ann"}, "a") }, false},
		"by a kick":       {func(w *world, id string) { w.registry.Kicks.connection(id, protocol.ReasonForbidden) }, false},
		"of another id":   {func(w *world, _ string) { w.registry.VoidTickets([]string{"x"}, isAny) }, true},
		"of another room": {func(w *world, id string) { w.registry.lost.void(Target{Connection: id}, "b") }, true},
		"of another user": {func(w *world, _ string) { w.registry.lost.void(Target{User: "bob"}, "") }, true},
		"that is not asked": {func(w *world, id string) {
			w.registry.VoidTickets([]string{id}, func(string, []string) bool { return false })
		}, true},
	} {
		inBubbleNamed(t, name, func(t *testing.T, w *world) {
			lost := w.ticketed("ann", "secret", "a")
			w.endsDuring(lost, func() { c.void(w, lost.Conn().ID()) })
			if done, _ := w.connect("ann").resumes(Resumption{Ticket: "secret", Group: "g", First: true}); done != c.ok {
				t.Errorf("resumed: %v", done)
			}
		})
	}
}

// endsDuring does something while the connection of a client has ended and its session has not.
func (w *world) endsDuring(c *client, do func()) {
	w.registry.sessions.mu.Lock() // the session can not leave
	c.Conn().Close(hub.ReasonLost)
	do()
	w.registry.sessions.mu.Unlock()
	synctest.Wait()
}

// The same holds for the id that a connection has from a lost one, and not while the connection lives.
func TestTicketOfARenamedConnectionThatEnds(t *testing.T) {
	for _, ends := range []bool{false, true} {
		inBubbleNamed(t, map[bool]string{true: "it has ended", false: "it lives"}[ends], func(t *testing.T, w *world) {
			w.ticketed("ann", "first", "a").lose(hub.ReasonLost)
			next := w.ticketed("ann", "secret")
			if done, _ := next.resumes(Resumption{Ticket: "first", Group: "g", First: true}); !done {
				t.Fatal("not resumed")
			}
			void := func() { w.registry.VoidTickets([]string{next.Conn().ID()}, isAny) }
			if ends {
				w.endsDuring(next, void)
			} else {
				void()
				next.lose(hub.ReasonLost)
			}
			if done, _ := w.connect("ann").resumes(Resumption{Ticket: "secret", Group: "g", First: true}); done == ends {
				t.Errorf("resumed: %v", done)
			}
		})
	}
}

// A session that has ended gets no tickets, and is in no list any more.
func TestTicketAfterTheEnd(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		c := w.ticketed("ann", "secret", "a")
		if l := &w.registry.lost; len(l.issuers) != 1 {
			t.Errorf("%d sessions have tickets", len(l.issuers))
		}
		c.lose(hub.ReasonLost)
		c.Issue(Ticket{ID: "late", Group: "g", Life: ticketLife})
		if l := &w.registry.lost; len(l.issuers) != 0 || len(c.tickets) != 0 {
			t.Errorf("%d sessions have tickets, this one %d", len(l.issuers), len(c.tickets))
		}
	})
}

// A connection without a ticket is not noted for those who recover, whatever its id is.
func TestRenamedWithoutATicket(t *testing.T) {
	inBubble(t, Limits{}, open("a"), func(t *testing.T, w *world) {
		c := w.connect("ann")
		if !c.rename("another") || c.Conn().ID() != "another" {
			t.Fatalf("the connection is called %s", c.Conn().ID())
		}
		if n := len(w.registry.lost.issuers); n > 0 {
			t.Errorf("%d connections are noted", n)
		}
	})
}

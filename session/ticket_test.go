package session

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const ticketLife = 2 * time.Minute

// ticketed opens a session with a ticket for the rooms that it is in.
func (w *world) ticketed(user, id string, channels ...string) *client {
	w.t.Helper()
	c := w.connect(user)
	c.Conn().KeepTrail(func(string) string { return "g" })
	c.Issue(Ticket{ID: id, Group: "g", Life: ticketLife})
	for _, channel := range channels {
		c.joins(channel, "", nil)
	}
	return c
}

// resumes goes on with a ticket. It returns whether the session does, and the contents that it is sent.
func (c *client) resumes(q Resumption) (bool, string) {
	c.t.Helper()
	q.Reply = func() []hub.Event { return []hub.Event{protocol.Subscriptions{Channel: "a", Count: 1}} }
	done := c.Resume(c.Context(), q)
	synctest.Wait()
	var got []string
	for _, line := range c.wire.take() {
		if _, content, is := strings.Cut(line, `"content":`); is {
			got = append(got, content[:1])
		}
	}
	return done, strings.Join(got, " ")
}

// newest is the position of the newest message.
func (w *world) newest(channel string) *hub.Position {
	w.t.Helper()
	page, err := w.hub.History(w.t.Context(), channel, hub.HistoryQuery{Limit: 1})
	if err != nil || len(page.Messages) != 1 {
		w.t.Fatal(page, err)
	}
	return &page.Messages[0].Position
}

// Whoever has the ticket of a lost connection, and is the same user on the same route, goes on where it was, once.
// Nobody else does.
func TestTicket(t *testing.T) {
	usual := func(q *Resumption) {}
	stays := func(*world, *client) {}
	for name, c := range map[string]struct {
		reason hub.Reason
		user   string
		change func(*Resumption)
		before func(w *world, lost *client) // while the connection lasts
		after  func(w *world, lost *client)
		ok     bool
	}{
		"the same user":             {hub.ReasonLost, "ann", usual, stays, stays, true},
		"after a drain":             {hub.ReasonRestart, "ann", usual, stays, stays, true},
		"the client closed it":      {hub.ReasonNormal, "ann", usual, stays, stays, true},
		"the page was left":         {hub.Reason{Code: 1001, Text: hub.ByClient}, "ann", usual, stays, stays, true},
		"the token ended":           {protocol.ReasonTokenExpired, "ann", usual, stays, stays, true},
		"the rules have changed":    {changed, "ann", usual, stays, stays, true},
		"the app closed it":         {protocol.ReasonForbidden, "ann", usual, stays, stays, false},
		"abuse":                     {protocol.ReasonPolicy, "ann", usual, stays, stays, false},
		"another user":              {hub.ReasonLost, "bob", usual, stays, stays, false},
		"nobody":                    {hub.ReasonLost, "", usual, stays, stays, false},
		"another ticket":            {hub.ReasonLost, "ann", func(q *Resumption) { q.Ticket = "guess" }, stays, stays, false},
		"another group":             {hub.ReasonLost, "ann", func(q *Resumption) { q.Group = "other" }, stays, stays, false},
		"the client has another id": {hub.ReasonLost, "ann", func(q *Resumption) { q.First = false }, stays, stays, false},
		"in time": {hub.ReasonLost, "ann", usual, stays, func(*world, *client) {
			time.Sleep(ticketLife - 1)
		}, true},
		"too late": {hub.ReasonLost, "ann", usual, stays, func(*world, *client) {
			time.Sleep(ticketLife)
		}, false},
		"the ticket was taken back": {hub.ReasonLost, "ann", usual, func(_ *world, c *client) {
			c.Issue(Ticket{ID: "another", Group: "g", Life: ticketLife})
			c.Void("secret")
		}, stays, false},
		"another ticket was taken back": {hub.ReasonLost, "ann", usual, func(_ *world, c *client) {
			c.Issue(Ticket{ID: "another", Group: "g", Life: ticketLife})
			c.Void("another")
		}, stays, true},
		"the user was kicked": {hub.ReasonLost, "ann", usual, stays, func(w *world, _ *client) {
			time.Sleep(time.Second)
			_, _ = w.registry.Kicks.User(w.t.Context(), "ann", protocol.ReasonForbidden)
		}, false},
		"another user was kicked": {hub.ReasonLost, "ann", usual, stays, func(w *world, _ *client) {
			time.Sleep(time.Second)
			_, _ = w.registry.Kicks.User(w.t.Context(), "bob", protocol.ReasonForbidden)
		}, true},
		"the connection was kicked": {hub.ReasonLost, "ann", usual, stays, func(w *world, c *client) {
			_, _ = w.registry.Kicks.Connection(w.t.Context(), c.Conn().ID(), protocol.ReasonForbidden)
		}, false},
		"another connection was kicked": {hub.ReasonLost, "ann", usual, stays, func(w *world, _ *client) {
			_, _ = w.registry.Kicks.Connection(w.t.Context(), "aaaaaaaaaaaaaaaa", protocol.ReasonForbidden)
		}, true},
		"the app unsubscribed the user": {hub.ReasonLost, "ann", usual, stays, func(w *world, _ *client) {
			_, _ = w.registry.Enrollment.Unsubscribe(w.t.Context(), Target{User: "ann"}, "a")
		}, false},
		"the app unsubscribed the user from another channel": {hub.ReasonLost, "ann", usual, stays, func(w *world, _ *client) {
			_, _ = w.registry.Enrollment.Unsubscribe(w.t.Context(), Target{User: "ann"}, "b")
		}, true},
		"the channel is not allowed any more": {hub.ReasonLost, "ann", usual, stays, func(w *world, _ *client) {
			w.rules(kept("b", 5), policy.Room{Pattern: "a", Subscribe: policy.Granted})
		}, false},
		"more is missing than the room has": {hub.ReasonLost, "ann", usual, stays, func(w *world, _ *client) {
			w.send("a", "", "3", "4", "5", "6", "7", "8")
		}, false},
		"its tickets were dropped": {hub.ReasonLost, "ann", usual, stays, func(w *world, c *client) {
			w.registry.VoidTickets([]string{c.Conn().ID()}, func(id string, rooms []string) bool {
				return id == c.Conn().ID() && slices.Equal(rooms, []string{"a"})
			})
		}, false},
		"all tickets were dropped":     {hub.ReasonLost, "ann", usual, stays, func(w *world, _ *client) { w.registry.VoidTickets(nil, isAny) }, false},
		"none was dropped":             {hub.ReasonLost, "ann", usual, stays, func(w *world, _ *client) { w.registry.VoidTickets([]string{}, isAny) }, true},
		"those of others were dropped": {hub.ReasonLost, "ann", usual, stays, func(w *world, _ *client) { w.registry.VoidTickets([]string{"x"}, isAny) }, true},
	} {
		inBubbleNamed(t, name, func(t *testing.T, w *world) {
			lost := w.ticketed("ann", "secret", "a")
			w.send("a", "", "1")
			last := w.newest("a")
			c.before(w, lost)
			lost.lose(c.reason)
			w.send("a", "", "2")
			w.send("a", lost.Conn().ID(), "x")
			c.after(w, lost)
			q := Resumption{Ticket: "secret", Group: "g", Last: last, First: true}
			c.change(&q)
			next := w.connect(c.user)
			done, got := next.resumes(q)
			if done != c.ok || c.ok && (got != "2" || next.Conn().ID() != lost.Conn().ID()) || !c.ok && got != "" {
				t.Errorf("resumed: %v, with %q", done, got)
			}
			if in := next.Conn().In("a"); in != c.ok || !c.ok && len(next.places) != 0 {
				t.Errorf("in the room: %v, %d places", in, len(next.places))
			}
			time.Sleep(ticketLife)
			if l := &w.registry.lost; l.redeem("") != nil || l.rooms != 0 || l.queue.Len() != 0 || len(l.by) != 0 {
				t.Errorf("%d records of %d rooms are left, and %d keys", l.queue.Len(), l.rooms, len(l.by))
			}
		})
	}
}

func isAny(string, []string) bool { return true }

// A client with the id of the lost connection goes on with it, whether it knows the id or not.
func TestTicketIsUsedOnce(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		w.ticketed("ann", "secret", "a").lose(hub.ReasonLost)
		w.send("a", "", "1")
		q := Resumption{Ticket: "secret", Group: "g", First: true}
		if done, got := w.connect("ann").resumes(q); !done || got != "1" {
			t.Errorf("%v, %q", done, got)
		}
		if done, got := w.connect("ann").resumes(q); done || got != "" {
			t.Errorf("a second time: %v, %q", done, got)
		}
	})
}

// A ticket that somebody else shows counts no more: it is not a secret any longer.
func TestTicketOfAnotherUserIsSpent(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		w.ticketed("ann", "secret", "a").lose(hub.ReasonLost)
		q := Resumption{Ticket: "secret", Group: "g", First: true}
		if done, _ := w.connect("eve").resumes(q); done {
			t.Error("eve goes on where ann was")
		}
		if done, _ := w.connect("ann").resumes(q); done {
			t.Error("the ticket counts after eve had it")
		}
	})
}

// Rooms to which the app had subscribed the lost connection are resumed without a permission of the client. If the
// connection can not be resumed, the client does not get that permission.
func TestTicketKeepsWhatTheAppSubscribed(t *testing.T) {
	secret := kept("secret", 5)
	secret.Subscribe = policy.Server
	for _, ok := range []bool{true, false} {
		inBubbleNamed(t, map[bool]string{true: "resumed", false: "not resumed"}[ok], func(t *testing.T, w *world) {
			w.rules(kept("a", 5), kept("z", 5), secret)
			lost := w.ticketed("ann", "t", "a", "z")
			if done, e := w.registry.Enrollment.Subscribe(t.Context(), Target{User: "ann"}, "secret"); e != nil || done.Connections != 1 {
				t.Fatal(done, e)
			}
			w.send("secret", "", "1")
			last := w.newest("secret")
			lost.lose(hub.ReasonLost)
			w.send("secret", "", "2")
			if !ok {
				w.rules(kept("a", 5), policy.Room{Pattern: "z"}, secret)
			}
			next := w.connect("ann")
			done, got := next.resumes(Resumption{Ticket: "t", Group: "g", Last: last, First: true})
			if done != ok || got != map[bool]string{true: "2"}[ok] {
				t.Errorf("resumed: %v, with %q", done, got)
			}
			for channel, want := range map[string]bool{"secret": ok, "a": false} {
				if next.isEnrolled(channel) != want {
					t.Errorf("%s: by order of the app: %v", channel, !want)
				}
			}
			if !ok {
				next.say(subscribeTo("secret"))
				next.hears(failure("1", protocol.Forbidden))
			}
		})
	}
}

// A realm is where the client came in: its ticket is for that one.
func TestTicketOfAnotherRealm(t *testing.T) {
	inRealm(t, Realm{}, []policy.Room{kept("a", 5)}, func(t *testing.T, w *world) {
		c := w.arrive(named("ann"))
		c.Conn().KeepTrail(func(string) string { return "g" })
		c.Issue(Ticket{ID: "secret", Group: "g", Life: ticketLife})
		c.joins("a", "", nil)
		c.lose(hub.ReasonLost)
		if done, _ := w.connect("ann").resumes(Resumption{Ticket: "secret", Group: "g", First: true}); done {
			t.Error("resumed on another route")
		}
	})
}

// A user who was kicked after the connection began does not resume it, and one who was kicked before does.
func TestTicketAfterAKick(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		if _, e := w.registry.Kicks.User(t.Context(), "ann", protocol.ReasonForbidden); e != nil {
			t.Fatal(e)
		}
		time.Sleep(time.Second)
		w.ticketed("ann", "secret", "a").lose(hub.ReasonLost)
		if done, _ := w.connect("ann").resumes(Resumption{Ticket: "secret", Group: "g", First: true}); !done {
			t.Error("not resumed")
		}
	})
}

// A connection that can not be resumed because the store fails is in no room, and the failure is logged.
func TestTicketWhileTheStoreFails(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		w.ticketed("ann", "secret", "a").lose(hub.ReasonLost)
		next := w.connect("ann")
		w.broker.set(func() { w.broker.fail = errors.New("out of order") })
		if done, got := next.resumes(Resumption{Ticket: "secret", Group: "g", First: true}); done || got != "" || next.Conn().In("a") {
			t.Errorf("%v, %q", done, got)
		}
		if !strings.Contains(w.logs.String(), `"command":"resume"`) {
			t.Errorf("logged %s", w.logs)
		}
	})
}

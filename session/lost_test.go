package session

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// joins subscribes with a scope, and returns the contents that the client missed.
func (c *client) joins(channel, scope string, pass *Pass) string {
	c.t.Helper()
	var got []string
	e := c.Subscribe(c.Context(), protocol.Subscribe{Channel: channel}, SubscribeOptions{Pass: pass, Recover: scope, Reply: func(s Subscribed) []hub.Event {
		for _, m := range s.Messages {
			got = append(got, string(m.Content))
		}
		return nil
	}})
	if e != nil {
		c.t.Fatal(e)
	}
	return strings.Join(got, " ")
}

func (c *client) lose(reason hub.Reason) {
	synctest.Wait()
	c.Conn().Close(reason)
	synctest.Wait()
	c.wire.take()
}

func (w *world) send(channel, except string, contents ...string) {
	w.t.Helper()
	for _, content := range contents {
		if _, err := w.hub.Publish(w.t.Context(), &hub.Message{Channel: channel, Content: []byte(content), Except: except}, ""); err != nil {
			w.t.Fatal(err)
		}
	}
	synctest.Wait()
}

// want compares what was missed.
func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s missed %q, not %q", what, got, want)
	}
}

func inBubbleNamed(t *testing.T, name string, test func(t *testing.T, w *world)) {
	t.Run(name, func(t *testing.T) { inLostWorld(t, test) })
}

func inLostWorld(t *testing.T, test func(t *testing.T, w *world)) {
	inBubble(t, Limits{}, []policy.Room{kept("a", 5), kept("b", 5), kept("c", 5), open("plain")[0]}, test)
}

func TestLost(t *testing.T) {
	for name, c := range map[string]struct {
		reason     hub.Reason
		user       string
		from, into string // scopes
		after      time.Duration
		channel    string
		want       string
	}{
		"the same user":        {hub.ReasonLost, "ann", "x", "x", lostTime - 1, "a", "2 3"},
		"a silent client":      {hub.ReasonSilent, "ann", "x", "x", 0, "a", "2 3"},
		"a slow client":        {hub.ReasonSlow, "ann", "x", "x", 0, "a", "2 3"},
		"a drain":              {hub.ReasonRestart, "ann", "x", "x", 0, "a", "2 3"},
		"another user":         {hub.ReasonLost, "bob", "x", "x", 0, "a", ""},
		"nobody":               {hub.ReasonLost, "", "x", "x", 0, "a", ""},
		"a user of another":    {hub.ReasonLost, "ann", "x", "y", 0, "a", ""},
		"it is off":            {hub.ReasonLost, "ann", "", "", 0, "a", ""},
		"it was off":           {hub.ReasonLost, "ann", "", "x", 0, "a", ""},
		"too late":             {hub.ReasonLost, "ann", "x", "x", lostTime, "a", ""},
		"another channel":      {hub.ReasonLost, "ann", "x", "x", 0, "b", ""},
		"the client closed it": {hub.ReasonNormal, "ann", "x", "x", 0, "a", ""},
		"the page was left":    {hub.Reason{Code: 1001, Text: "closed by the client"}, "ann", "x", "x", 0, "a", ""},
		"the app closed it":    {protocol.ReasonForbidden, "ann", "x", "x", 0, "a", ""},
		"the client pretends":  {hub.Reason{Code: hub.ReasonSlow.Code, Text: "closed by the client"}, "ann", "x", "x", 0, "a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			inLostWorld(t, func(t *testing.T, w *world) {
				first := w.connect("ann")
				want(t, "the first connection", first.joins("a", c.from, nil), "")
				w.send("a", "", "1")
				first.lose(c.reason)
				w.send("a", "", "2")
				w.send("a", first.Conn().ID(), "own")
				w.send("a", "somebody", "3")
				time.Sleep(c.after)
				want(t, name, w.connect(c.user).joins(c.channel, c.into, nil), c.want)
				want(t, "the next connection", w.connect("ann").joins("a", c.into, nil), map[bool]string{true: "2 3"}[c.want == "" && c.from == "x" && c.into == "x" && c.reason == hub.ReasonLost && c.after < lostTime])
			})
		})
	}
}

// A member that the app has signed is known in that channel alone.
func TestLostMember(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		pass := func(id string) *Pass { return &Pass{Member: &PassMember{ID: id}} }
		lost := w.connect("")
		lost.joins("a", "x", pass("7"))
		lost.joins("b", "x", pass("8"))
		lost.joins("c", "x", nil)
		lost.lose(hub.ReasonLost)
		for _, channel := range []string{"a", "b", "c"} {
			w.send(channel, "", "1")
		}
		other := w.connect("7") // whose user has the name of a member
		want(t, "a user", other.joins("a", "x", nil), "")
		want(t, "another member", other.joins("b", "x", pass("7")), "")
		next := w.connect("")
		want(t, "the member in c", next.joins("c", "x", pass("7")), "")
		want(t, "the member in a", next.joins("a", "x", pass("7")), "1")
		want(t, "the member in b", next.joins("b", "x", pass("8")), "1")
	})
}

// A record is for one connection, and a connection gets one record.
func TestLostTabs(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		one, two := w.connect("ann"), w.connect("ann")
		for _, tab := range []*client{one, two} {
			tab.joins("a", "x", nil)
			tab.joins("b", "x", nil)
		}
		one.lose(hub.ReasonLost)
		w.send("a", "", "1")
		two.lose(hub.ReasonLost)
		w.send("a", "", "2")
		w.send("b", "", "3")
		newer, older, third := w.connect("ann"), w.connect("ann"), w.connect("ann")
		want(t, "the newer in a", newer.joins("a", "x", nil), "2")
		want(t, "the older in a", older.joins("a", "x", nil), "1 2")
		want(t, "the third in a", third.joins("a", "x", nil), "")
		want(t, "the third in b", third.joins("b", "x", nil), "")
		want(t, "the newer in b", newer.joins("b", "x", nil), "3")
		want(t, "the older in b", older.joins("b", "x", nil), "3")
		_ = newer.Unsubscribe("b", nil)
		want(t, "the newer in b again", newer.joins("b", "x", nil), "")
	})
}

// A client that is lost again before it came to all its channels gets the rest with the next connection,
// and nothing that left any of its connections out.
func TestLostAgain(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		first := w.connect("ann")
		first.joins("a", "x", nil)
		first.joins("b", "x", nil)
		first.lose(hub.ReasonLost)
		w.send("a", "", "1")
		w.send("b", "", "2")
		second := w.connect("ann")
		want(t, "the second in a", second.joins("a", "x", nil), "1")
		second.lose(hub.ReasonLost)
		w.send("a", first.Conn().ID(), "own")
		w.send("a", second.Conn().ID(), "own")
		w.send("a", "", "3")
		third := w.connect("ann")
		want(t, "the third in a", third.joins("a", "x", nil), "3")
		want(t, "the third in b", third.joins("b", "x", nil), "2")
	})
}

// A client that is lost while it comes to its first channel gets the other ones with the next connection.
func TestLostAtOnce(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		first := w.connect("ann")
		first.joins("a", "x", nil)
		first.joins("b", "x", nil)
		first.lose(hub.ReasonLost)
		w.send("b", "", "1")
		second := w.connect("ann")
		want(t, "the second in a", second.joins("a", "x", nil), "")
		_ = second.Unsubscribe("a", nil) // as if it had been lost before it was in the channel
		second.lose(hub.ReasonLost)
		want(t, "the third in b", w.connect("ann").joins("b", "x", nil), "1")
	})
}

// A record that is taken leaves nothing in the queue, however many come before the time is over.
func TestLostTaken(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		for range 10 {
			c := w.connect("ann")
			c.joins("a", "x", nil)
			c.lose(hub.ReasonLost)
		}
		l := &w.registry.lost
		if l.queue.Len() != 1 || l.rooms != 1 {
			t.Fatalf("%d records, %d rooms", l.queue.Len(), l.rooms)
		}
		if n := len(l.queue.Front().Value.(*lostConn).ids); n != maxLostIDs {
			t.Errorf("the record has the ids of %d connections", n)
		}
	})
}

// A record has no more rooms than the bound says, with those that it inherits.
func TestLostRoomsAreBounded(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("*", 5)}, func(t *testing.T, w *world) {
		l := &w.registry.lost
		first := w.connect("ann")
		for i := range maxLostRoomsEach + 1 {
			first.joins(fmt.Sprint("r", i), "x", nil)
		}
		first.lose(hub.ReasonLost)
		if l.rooms != maxLostRoomsEach {
			t.Errorf("%d rooms of the first connection", l.rooms)
		}
		second := w.connect("ann")
		for i := range 3 { // one of them has no record
			second.joins(fmt.Sprint("r", i), "x", nil)
		}
		second.joins("new", "x", nil)
		second.lose(hub.ReasonLost)
		if l.rooms != maxLostRoomsEach || l.queue.Len() != 1 {
			t.Errorf("%d rooms of %d records after the second one", l.rooms, l.queue.Len())
		}
	})
}

// A record ends after its time, also while an older record that lives longer stands before it.
func TestLostBehindATicket(t *testing.T) {
	for _, after := range []time.Duration{lostTime - 1, lostTime} {
		inBubbleNamed(t, fmt.Sprint(after), func(t *testing.T, w *world) {
			w.ticketed("bob", "secret", "a").lose(hub.ReasonLost)
			first := w.connect("ann")
			for _, channel := range []string{"a", "b"} {
				first.joins(channel, "x", nil)
			}
			first.lose(hub.ReasonLost)
			second := w.connect("ann")
			second.joins("a", "x", nil)
			w.send("a", "", "1")
			w.send("b", "", "2")
			time.Sleep(after)
			got := map[bool]string{true: "2"}[after < lostTime]
			want(t, "the second in b", second.joins("b", "x", nil), got)

			// What the second one has not come to, the third one inherits, if it is in time.
			third, fourth := w.connect("cleo"), w.connect("cleo")
			for _, channel := range []string{"a", "b"} {
				third.joins(channel, "x", nil)
			}
			third.lose(hub.ReasonLost)
			fourth.joins("a", "x", nil)
			w.send("b", "", "3")
			time.Sleep(after)
			fourth.lose(hub.ReasonLost)
			want(t, "the heir of the fourth in b", w.connect("cleo").joins("b", "x", nil), map[bool]string{true: "3"}[after < lostTime])
		})
	}
}

// What another user was lost with is inherited where the app has signed the member, and nowhere else.
func TestLostAgainAsAnotherUser(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		pass := &Pass{Member: &PassMember{ID: "7"}}
		first := w.connect("ann")
		first.joins("a", "x", pass)
		first.joins("b", "x", pass)
		first.joins("c", "x", nil)
		first.lose(hub.ReasonLost)
		for _, channel := range []string{"a", "b", "c"} {
			w.send(channel, "", "1")
		}
		second := w.connect("bob")
		want(t, "bob in a", second.joins("a", "x", pass), "1")
		second.lose(hub.ReasonLost)
		third := w.connect("bob")
		want(t, "bob in c", third.joins("c", "x", nil), "")
		want(t, "the member in b", third.joins("b", "x", pass), "1")
		want(t, "ann in c", w.connect("ann").joins("c", "x", nil), "")
	})
}

// What can not be sent again is logged, and nothing else is.
func TestLostSignInThatFails(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		first := w.connect("ann")
		first.joins("a", "x", nil)
		first.lose(hub.ReasonLost)
		w.send("a", "", "1")
		next := w.connect("")
		next.joins("a", "x", nil)
		if e := next.Identify(next.Context(), auth.Identity{User: "ann"}, func(*Principal) {}); e != nil {
			t.Fatal(e)
		}
		w.broker.set(func() { w.broker.fail = errors.New("out of order") })
		next.Recover(next.Context())
		if got := w.logs.String(); !strings.Contains(got, `"command":"recover"`) {
			t.Errorf("logged %s", got)
		}
	})
}

// What a client missed in channels to which it subscribed before it signed in comes behind what it got
// meanwhile, and once.
func TestLostSignIn(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		first := w.connect("ann")
		for _, channel := range []string{"a", "b", "plain"} {
			first.joins(channel, "x", nil)
		}
		first.lose(hub.ReasonLost)
		w.send("a", "", "1")
		w.send("a", first.Conn().ID(), "own")
		w.send("a", "", "2")
		for range 6 { // more than the history has
			w.send("b", "", "0")
		}
		next := w.connect("")
		for _, channel := range []string{"a", "b", "c", "plain"} {
			want(t, "a client without a user", next.joins(channel, "x", nil), "")
		}
		w.send("a", "", "3")
		if e := next.Identify(next.Context(), auth.Identity{User: "ann"}, func(*Principal) {}); e != nil {
			t.Fatal(e)
		}
		next.Recover(next.Context())
		next.Recover(next.Context())
		synctest.Wait()
		var got []string
		for _, line := range next.wire.take() {
			_, content, _ := strings.Cut(line, `"content":`)
			got = append(got, content[:1])
		}
		want(t, "the signed-in client", strings.Join(got, " "), "3 1 2")
	})
}

// Records have bounds, and leave nothing behind.
func TestLostBounds(t *testing.T) {
	inLostWorld(t, func(t *testing.T, w *world) {
		l := &w.registry.lost
		fill := func(n int) {
			l.mu.Lock()
			defer l.mu.Unlock()
			for i := range n {
				rooms := make(map[string]lostRoom)
				for j := range maxLostRoomsEach {
					rooms[fmt.Sprint("room", j)] = lostRoom{member: fmt.Sprint("member", i)}
				}
				l.push(&lostConn{at: time.Now(), user: fmt.Sprint("user", i), rooms: rooms})
			}
		}
		l.most = 4 * maxLostRoomsEach
		fill(4 + 3)
		if l.rooms != l.most || l.queue.Len() != 4 || l.queue.Front().Value.(*lostConn).user != "user3" {
			t.Errorf("%d rooms of %d records", l.rooms, l.queue.Len())
		}
		var tabs []*client
		for range maxLostTabs + 3 {
			tabs = append(tabs, w.connect("ann"))
			tabs[len(tabs)-1].joins("a", "x", nil)
		}
		for _, tab := range tabs {
			tab.lose(hub.ReasonLost)
		}
		if n := len(l.by[lostKey{scope: "x", channel: "a", user: "ann"}]); n != maxLostTabs {
			t.Errorf("%d records of one user in one room", n)
		}
		time.Sleep(lostTime)
		want(t, "a late client", w.connect("user9").joins("a", "x", nil), "")
		if l.rooms != 0 || l.queue.Len() != 0 || len(l.by) != 0 {
			t.Errorf("%d rooms of %d records are left, and %d keys", l.rooms, l.queue.Len(), len(l.by))
		}
	})
}

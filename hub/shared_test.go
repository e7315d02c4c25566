package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// odd passes messages whose content has an odd length. even passes the others.
type (
	odd  struct{}
	even struct{}
)

func (odd) Passes(m *Message, _ *any) bool  { return len(m.Content)%2 == 1 }
func (even) Passes(m *Message, _ *any) bool { return len(m.Content)%2 == 0 }

// counted counts how often it is asked.
type counted struct{ asked *int }

func (c counted) Passes(*Message, *any) bool { *c.asked++; return true }

// Each member gets what passes its own Selector, also if others of the room have another one, or none. Equal
// Selectors are asked once for a message.
func TestSelectorsOfARoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		var asked int
		var wires []*wire
		for _, by := range []Selector{odd{}, even{}, nil, odd{}, counted{&asked}, even{}, counted{&asked}} {
			w := newWire()
			wires = append(wires, w)
			subscribe(t, h, connect(t, h, &tryWire{wire: w}), "a", SubscribeOptions{Selector: by})
		}
		publish(t, h, "a", "1", "22", "333")
		h.Broadcast("a", &Message{Channel: "a", Content: []byte("4444")}, &Message{Channel: "a", Content: []byte("55555")})
		synctest.Wait()
		all := "1 22 333 4444 55555"
		for i, want := range []string{"1 333 55555", "22 4444", all, "1 333 55555", all, "22 4444", all} {
			if got := strings.ReplaceAll(strings.Join(wires[i].lines(), " "), "a@0 ", ""); got != want {
				t.Errorf("%d got %q, want %q", i, got, want)
			}
		}
		if asked != 5 {
			t.Errorf("asked %d times about five messages", asked)
		}
	})
}

// A subscription gets a Selector, another one and none while it lasts.
func TestSelect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		w := newWire()
		c := connect(t, h, w)
		if h.Select(c, "a", odd{}) {
			t.Error("selected outside of the room")
		}
		subscribe(t, h, c, "a", SubscribeOptions{})
		for i, by := range []Selector{odd{}, even{}, nil} {
			if !h.Select(c, "a", by, fmt.Sprint("select ", i)) {
				t.Error("not selected")
			}
			publish(t, h, "a", "1", "22")
		}
		synctest.Wait()
		if got, want := strings.Join(w.lines(), ", "), "select 0, a@0 1, select 1, a@0 22, select 2, a@0 1, a@0 22"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// told is an encoder that writes how far a channel is.
type told struct{ line }

func (e *told) AppendEvent(dst []byte, ev Event) []byte {
	if p, ok := ev.(Progress); ok {
		return fmt.Appendf(dst, "at %d\n", p.Position.Offset)
	}
	return e.line.AppendEvent(dst, ev)
}

// A client whose Selector passes nothing learns how far the channel is after a quarter of the history, once a second
// at most. A message that it gets makes that needless.
func TestProgressBetweenHeartbeats(t *testing.T) {
	for name, try := range map[string]bool{"at once": true, "through the queue": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				set := Settings{Heartbeat: time.Hour, Room: func(string) RoomOptions { return RoomOptions{Retention: Retention{Size: 16}} }}
				h, _ := newTestHub(t, set)
				w := newWire()
				var tr Transport = w
				if try {
					tr = &tryWire{wire: w}
				}
				c, err := h.Connect(ConnOptions{Transport: tr, Encoder: new(told)})
				if err != nil {
					t.Fatal(err)
				}
				subscribe(t, h, c, "h", SubscribeOptions{Selector: odd{}})
				hears := func(after time.Duration, content string, n int, want ...string) {
					t.Helper()
					time.Sleep(after)
					before := len(w.text())
					for range n {
						publish(t, h, "h", content)
						synctest.Wait()
					}
					got := strings.Split(strings.TrimSuffix(w.text()[before:], "\n"), "\n")
					if !slices.Equal(got, append(want, strings.Split("", " ")...)[:max(1, len(want))]) {
						t.Errorf("heard %q, want %q", got, want)
					}
				}
				hears(time.Second, "22", 3)
				hears(0, "22", 1, "at 4")
				hears(time.Second-1, "22", 4)
				hears(1, "22", 1, "at 9")
				hears(time.Second, "22", 3)
				hears(0, "1", 1, "h@13 1")
				hears(time.Second, "22", 3)
				hears(0, "22", 1, "at 17")
			})
		})
	}
}

// A client that has the newest message is not told of an older position.
func TestNoProgressBehindAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Minute})
		w := newWire()
		c, err := h.Connect(ConnOptions{Transport: &tryWire{wire: w}, Encoder: new(told)})
		if err != nil {
			t.Fatal(err)
		}
		subscribe(t, h, c, "h", SubscribeOptions{Selector: odd{}})
		publish(t, h, "h", "22", "1")
		time.Sleep(2 * time.Minute)
		if got := w.text(); strings.Contains(got, "at ") || !strings.Contains(got, "h@2 1") {
			t.Errorf("heard %q", got)
		}
	})
}

// What has no position, such as a volatile message or a change of the members, does not tell a client how far the
// channel is. Neither does a gap without a position.
func TestProgressBehindWhatHasNoPosition(t *testing.T) {
	for name, try := range map[string]bool{"at once": true, "through the queue": false} {
		for what, ev := range map[string]Event{"h@0 1": &Message{Channel: "h", Content: []byte("1"), Volatile: true}, "members": "members", "gap h@0": Gap{Channel: "h"}} {
			t.Run(name+", "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h, _ := newTestHub(t, Settings{Heartbeat: time.Minute})
					w := newWire()
					var tr Transport = w
					if try {
						tr = &tryWire{wire: w}
					}
					c, err := h.Connect(ConnOptions{Transport: tr, Encoder: new(told)})
					if err != nil {
						t.Fatal(err)
					}
					subscribe(t, h, c, "h", SubscribeOptions{Selector: odd{}})
					publish(t, h, "h", "1", "22")
					h.Announce("h", ev)
					time.Sleep(time.Minute)
					expect(t, w, "h@1 1", what, "at 2", "ping")
				})
			})
		}
	}
}

// A gap without a position leaves the start of a subscription as it is: what came before it does not come again.
func TestStartBehindAGapWithoutAPosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		w := newWire()
		publish(t, h, "h", "1", "2", "3")
		at := subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{}).Position
		at.Offset--
		h.Announce("h", Gap{Channel: "h"})
		h.Broadcast("h", &Message{Channel: "h", Content: []byte("again"), Position: at})
		publish(t, h, "h", "4")
		expect(t, w, "gap h@0", "h@4 4")
	})
}

// After a panic the room replaces what was pending with a gap without a position. A subscription that has got no message
// before finds the hole by itself, and says up to where it reaches.
func TestHoleBehindDiscardedMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		w := newWire()
		publish(t, h, "h", "1")
		at := subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{}).Position
		r := h.room("h")
		r.mu.Lock()
		r.draining = true // the drain that will panic
		r.mu.Unlock()
		for range 2 {
			at.Offset++
			h.Broadcast("h", &Message{Channel: "h", Content: []byte("dropped"), Position: at})
		}
		if r.discardPending() {
			r.drain()
		}
		at.Offset++
		h.Broadcast("h", &Message{Channel: "h", Content: []byte("4"), Position: at})
		expect(t, w, "gap h@0", "gap h@3", "h@4 4")
	})
}

// A client that is told of a gap is not told of an older position before it.
func TestNoProgressBeforeAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Minute, QueueMessages: 2, Room: func(string) RoomOptions {
			return RoomOptions{Slow: SlowDropOldest, Retention: Retention{Size: 16}}
		}})
		w := newWire()
		c, err := h.Connect(ConnOptions{Transport: w, Encoder: new(told)})
		if err != nil {
			t.Fatal(err)
		}
		subscribe(t, h, c, "h", SubscribeOptions{Selector: odd{}})
		w.stick(true)
		c.Send("stuck")
		synctest.Wait()
		publish(t, h, "h", "22")
		time.Sleep(time.Minute) // the heartbeat queues the position
		publish(t, h, "h", "1", "1", "1")
		w.stick(false)
		expect(t, w, "stuck", "ping", "gap h@2", "h@3 1", "h@4 1")
	})
}

// A reply may say how far a channel is.
func TestProgressInAReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		w := newWire()
		c, err := h.Connect(ConnOptions{Transport: w, Encoder: new(told)})
		if err != nil {
			t.Fatal(err)
		}
		subscribe(t, h, c, "h", SubscribeOptions{Reply: func(Subscribed) []Event {
			return []Event{Progress{"h", Position{Epoch: "e", Offset: 7}}}
		}})
		expect(t, w, "at 7")
	})
}

// What does not pass while a connection joins a room has no Progress: the reply says how far the room is.
func TestNoProgressWhileJoining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		w := newWire()
		c, err := h.Connect(ConnOptions{Transport: &tryWire{wire: w}, Encoder: new(told)})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(progressPause)
		subscribe(t, h, c, "h", SubscribeOptions{Selector: odd{}, Reply: func(Subscribed) []Event {
			publish(t, h, "h", "22")
			return nil
		}})
		if got := w.text(); got != "" {
			t.Errorf("heard %q", got)
		}
	})
}

// other is a second dialect.
type other struct{ line }

func (e *other) AppendEvent(dst []byte, ev Event) []byte {
	return e.line.AppendEvent(append(dst, "other "...), ev)
}

// Members of one room get its messages in the forms of their own dialects.
func TestDialectsOfARoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		second, third := new(other), new(told)
		var wires []*wire
		encoders := []Encoder{lines, second, third, lines, second, third}
		for _, e := range encoders {
			w := newWire()
			wires = append(wires, w)
			c, err := h.Connect(ConnOptions{Transport: &tryWire{wire: w}, Encoder: e})
			if err != nil {
				t.Fatal(err)
			}
			subscribe(t, h, c, "a", SubscribeOptions{})
		}
		publish(t, h, "a", "1")
		synctest.Wait()
		for i, e := range encoders {
			want := "a@0 1\n"
			if e == Encoder(second) {
				want = "other " + want
			}
			if got := wires[i].text(); got != want {
				t.Errorf("%d got %q", i, got)
			}
		}
	})
}

// A batch is for all members as it is, unless a message in it is for some of them.
func TestBatchesForSomeMembers(t *testing.T) {
	h, _ := newTestHub(t, Settings{})
	c := connect(t, h, newWire())
	plain, except := &Message{Channel: "a"}, &Message{Channel: "a", Except: "somebody"}
	s := &subscription{conn: c}
	direct := &Message{Channel: "a", Direct: &Direct{To: Address{User: "bob"}}}
	for name, b := range map[string]struct {
		events    []Event
		selective bool
		own       int
	}{
		"plain":             {[]Event{plain, plain}, false, 2},
		"except":            {[]Event{except}, true, 1},
		"except, and plain": {[]Event{except, plain}, true, 2},
		"direct":            {[]Event{direct, direct}, true, 0},
		"direct, and plain": {[]Event{direct, plain}, true, 1},
		"plain, and direct": {[]Event{plain, direct}, true, 1},
		"an event":          {[]Event{"news"}, false, 1},
	} {
		got := newBatch(b.events, 0)
		if got.selective != b.selective || len(got.eventsFor(s)) != b.own {
			t.Errorf("%s: selective %v, %d events for another member", name, got.selective, len(got.eventsFor(s)))
		}
	}
}

// Of two messages to different members that are sent together, each gets its own.
func TestDirectMessagesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		users, wires := []string{"ann", "bob", "eve"}, map[string]*wire{}
		for _, user := range users {
			wires[user] = newWire()
			c, err := h.Connect(ConnOptions{Transport: &tryWire{wire: wires[user]}, Encoder: lines, User: func() string { return user }})
			if err != nil {
				t.Fatal(err)
			}
			subscribe(t, h, c, "a", SubscribeOptions{})
		}
		to := func(user string) *Message {
			return &Message{Channel: "a", Content: []byte("for-" + user), Direct: &Direct{To: Address{User: user}}}
		}
		h.Broadcast("a", to("ann"), to("bob"))
		synctest.Wait()
		for user, want := range map[string]string{"ann": "a@0 for-ann\n", "bob": "a@0 for-bob\n", "eve": ""} {
			if got := wires[user].text(); got != want {
				t.Errorf("%s got %q", user, got)
			}
		}
	})
}

// The end of a batch is its last message with a position.
func TestEndOfABatch(t *testing.T) {
	at := func(offset uint64) *Message { return &Message{Position: Position{Epoch: "e", Offset: offset}} }
	for want, events := range map[uint64][]Event{0: {"news", new(Message)}, 1: {at(1)}, 2: {at(1), at(2), "news"}, 3: {at(3), new(Message), "news"}} {
		b := newBatch(events, 0)
		if got := b.end().Offset; got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
	b := newBatch([]Event{at(1), "news", at(2)}, 0)
	for n, want := range []uint64{0, 1, 1, 2} {
		if got := b.messagesBefore(n); got != want {
			t.Errorf("%d messages before %d, want %d", got, n, want)
		}
	}
}

// explosive panics when it is written to.
type explosive struct{ *wire }

func (explosive) TryWrite([]byte) (int, error) { panic("boom") }

// A panic at one member costs that one its connection. Each other member gets the message once.
func TestPanicAtAMember(t *testing.T) {
	for at := range 3 {
		synctest.Test(t, func(t *testing.T) {
			h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
			var wires []*wire
			for i := range 3 {
				w := newWire()
				wires = append(wires, w)
				var tr Transport = &tryWire{wire: w}
				if i == at {
					tr = explosive{w}
				}
				subscribe(t, h, connect(t, h, tr), "a", SubscribeOptions{})
			}
			h.Broadcast("a", &Message{Channel: "a", Content: []byte("1")})
			synctest.Wait()
			for i, w := range wires {
				if got := w.text(); i != at && got != "a@0 1\n" {
					t.Errorf("%d panics, and %d got %q", at, i, got)
				}
			}
			if h.Stats().Panics != 1 {
				t.Errorf("%d panics", h.Stats().Panics)
			}
		})
	}
}

// After a panic in a room its events are dropped for a gap, and the drain goes on, unless the gap is what panics.
func TestDiscardedEvents(t *testing.T) {
	h, _ := newTestHub(t, Settings{})
	gap := Gap{Channel: "a"}
	for name, c := range map[string]struct {
		pending []Event
		goes    bool
	}{
		"nothing":           {nil, false},
		"such a gap":        {[]Event{gap}, false},
		"another gap":       {[]Event{Gap{"a", Position{Epoch: "e", Offset: 1}}}, true},
		"an event":          {[]Event{"news"}, true},
		"a gap and another": {[]Event{gap, "news"}, true},
	} {
		r := &room{hub: h, channel: "a", pending: c.pending}
		if goes := r.discardPending(); goes != c.goes || goes != slices.Equal(r.pending, []Event{gap}) || !goes && len(r.pending) > 0 {
			t.Errorf("%s: goes on %v, with %v", name, goes, r.pending)
		}
		r.addWeight(-r.load)
	}
}

// All messages of a batch that were written count, as late as they were accepted.
func TestDelaysAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		subscribe(t, h, connect(t, h, &tryWire{wire: newWire()}), "a", SubscribeOptions{Selector: odd{}})
		for range 2 {
			subscribe(t, h, connect(t, h, &tryWire{wire: newWire()}), "a", SubscribeOptions{})
		}
		at := time.Now()
		m := func(content string) *Message { return &Message{Channel: "a", Content: []byte(content), Time: at} }
		time.Sleep(time.Millisecond)
		for i := range uint64(2) {
			h.Broadcast("a", m("1"), m("22"), m("333"))
			synctest.Wait()
			if d := h.Stats().Delays; d.Count() != 8*(i+1) || d.Sum != 8*time.Duration(i+1)*time.Millisecond {
				t.Errorf("%d deliveries of %v, want %d", d.Count(), d.Sum, 8*(i+1))
			}
		}
	})
}

// The bytes of an event end where the next one starts.
func TestCutOfABatch(t *testing.T) {
	several, one := form{bytes: make([]byte, 6), ends: []int{3, 6}}, form{bytes: make([]byte, 6)}
	for n, want := range map[int]string{0: "0 false", 1: "0 true", 2: "0 true", 3: "1 false", 4: "1 true", 5: "1 true"} {
		if event, in := several.cut(n); fmt.Sprint(event, " ", in) != want {
			t.Errorf("%d bytes: %d %v, want %s", n, event, in, want)
		}
		if event, in := one.cut(n); event != 0 || in != (n > 0) {
			t.Errorf("%d bytes of one event: %d %v", n, event, in)
		}
	}
}

// What waits for a client is what is queued, and the rest of what was written in part. Both count against the bound.
func TestQueuedBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour, QueueBytes: 1000})
		c := connect(t, h, &tryWire{wire: newWire()})
		subscribe(t, h, c, "a", SubscribeOptions{})
		rest := func(b []byte) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.flushing, c.unwritten = b != nil, b
			c.pump()
		}
		rest([]byte("1234"))
		publish(t, h, "a", "1") // 6 bytes
		if events, bytes := c.Queue(); events != 1 || bytes != 10 {
			t.Errorf("%d events of %d bytes", events, bytes)
		}
		for _, k := range h.ConnStats().Kinds {
			if k.QueuedMessages != 1 || k.QueuedBytes != 10 || k.Messages != 1 {
				t.Errorf("%+v", k)
			}
		}
		publish(t, h, "a", strings.Repeat("x", 1000-10-len("a@0 \n")))
		if len(c.Channels()) != 1 {
			t.Error("a queue that is just full ended the connection")
		}
		publish(t, h, "a", "3")
		if len(c.Channels()) != 0 {
			t.Error("the queue takes more than its bound")
		}
		rest(nil)
	})
}

// resumes goes on where an earlier connection was.
func (h *Hub) resumes(t *testing.T, c *Conn, from *Conn, last *Position) bool {
	t.Helper()
	var rooms []Resumption
	all, ok := from.Trail().After("g", last)
	if !ok {
		return false
	}
	for _, s := range all {
		rooms = append(rooms, Resumption{Standing: s})
	}
	done, err := h.Resume(context.Background(), c, rooms, from.ID(), func() []Event { return []Event{"resumed"} })
	if err != nil {
		t.Error(err)
	}
	return done
}

// A connection goes on in all rooms of an earlier one, with what was missed there in the order of time, and what
// comes behind that.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newTestHub(t, Settings{Heartbeat: time.Hour})
		first := connect(t, h, newWire())
		first.KeepTrail(func(string) string { return "g" })
		first.KeepTrail(func(string) string { return "another" }) // is ignored
		for _, channel := range []string{"h1", "h2", "h3"} {      // in h3 nothing is missed
			subscribe(t, h, first, channel, SubscribeOptions{})
		}
		publish(t, h, "h1", "a")
		synctest.Wait()
		last := b.log["h1"][0].Position
		if first.Trail() != nil {
			t.Error("a trail before the end")
		}
		first.Close(ReasonLost)
		synctest.Wait()
		if n := first.Trail().Size(); n != 4 {
			t.Errorf("a trail of %d entries, want three rooms and a run", n)
		}
		if got := first.Trail().Channels("g"); len(got) != 3 || len(first.Trail().Channels("another")) != 0 {
			t.Errorf("rooms of the group: %q", got)
		}
		at := time.Now()
		for i, m := range []Message{{Channel: "h2", Content: []byte("b")}, {Channel: "h1", Content: []byte("c")}, {Channel: "h1", Content: []byte("own"), Except: first.ID()}, {Channel: "h2", Content: []byte("d")}} {
			m.Time = at.Add(time.Duration(i))
			if _, err := h.Publish(context.Background(), &m, ""); err != nil {
				t.Fatal(err)
			}
		}
		w := newWire()
		next := connect(t, h, w)
		if !h.resumes(t, next, first, &last) {
			t.Fatal("not resumed")
		}
		publish(t, h, "h1", "e")
		synctest.Wait()
		if got, want := strings.Join(w.lines(), ", "), "resumed, h2@1 b, h1@2 c, h2@2 d, h1@4 e"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got := next.Channels(); len(got) != 3 {
			t.Errorf("in %q", got)
		}
		if !h.Rename(next, first.ID()) || next.ID() != first.ID() {
			t.Error("not renamed")
		}
		if h.Rename(connect(t, h, newWire()), first.ID()) {
			t.Error("two connections have one id")
		}
		if _, is := h.Conn(first.ID()); !is {
			t.Error("no connection has the id")
		}
	})
}

// A connection that can not go on in one of the rooms is in none of them, and is sent nothing.
func TestResumeFails(t *testing.T) {
	for name, spoil := range map[string]func(h *Hub, b *store, next *Conn){
		"a room has too little": func(h *Hub, b *store, _ *Conn) { b.first = 1 },
		"a room fails":          func(h *Hub, b *store, _ *Conn) { b.fail = context.Canceled },
		"it is in a room": func(h *Hub, b *store, next *Conn) {
			_, _ = h.Subscribe(context.Background(), next, "h2", SubscribeOptions{})
		},
		"it is closing": func(_ *Hub, _ *store, next *Conn) { next.Close(ReasonLost) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, b := newTestHub(t, Settings{Heartbeat: time.Hour})
				first := connect(t, h, newWire())
				first.KeepTrail(func(string) string { return "g" })
				for _, channel := range []string{"h1", "h2"} {
					publish(t, h, channel, "0")
					subscribe(t, h, first, channel, SubscribeOptions{})
				}
				first.Close(ReasonLost)
				synctest.Wait()
				publish(t, h, "h1", "a", "b")
				w := newWire()
				next := connect(t, h, w)
				if name == "a room has too little" {
					b.first = 2
				} else {
					spoil(h, b, next)
				}
				before := len(next.Channels())
				all, ok := first.Trail().After("g", nil)
				if !ok {
					t.Fatal("no trail")
				}
				var rooms []Resumption
				for _, s := range all {
					rooms = append(rooms, Resumption{Standing: s})
				}
				done, _ := h.Resume(context.Background(), next, rooms, first.ID(), func() []Event { return []Event{"resumed"} })
				synctest.Wait()
				if done || len(next.Channels()) != before || strings.Contains(w.text(), "resumed") || strings.Contains(w.text(), "h1@") {
					t.Errorf("resumed %v, in %q, sent %q", done, next.Channels(), w.text())
				}
			})
		})
	}
}

// A gap up to where a subscription started is none for it.
func TestGapBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		publish(t, h, "h", "1", "2", "3")
		w := newWire()
		subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{})
		for _, offset := range []uint64{2, 3, 5} {
			h.Skip("h", Position{Epoch: "e", Offset: offset})
			synctest.Wait()
		}
		if got := w.text(); got != "gap h@5\n" {
			t.Errorf("heard %q", got)
		}
	})
}

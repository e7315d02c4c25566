package drills

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// memberWatch is a client that is told who comes and goes in rooms, and sees to it
// that everybody does so by turns.
type memberWatch struct {
	t    *testing.T
	self string
	conn *wsClient

	mu     sync.Mutex
	here   map[string]map[string]bool // room, id
	known  map[string]bool            // rooms of which a snapshot came
	events int
	wrong  []string
}

// membership is the event `presence`: a snapshot, or what has changed.
type membership struct {
	Type    string
	Payload struct {
		Channel       string
		Users         []json.RawMessage
		Entered, Left []json.RawMessage
		Count         int
	}
}

// watchMembers follows rooms as a user, until the test is over.
func watchMembers(t *testing.T, base, user string, channels []string) *memberWatch {
	t.Helper()
	w := &memberWatch{t: t, self: user, here: make(map[string]map[string]bool), known: make(map[string]bool)}
	w.conn = dialWS(t, base, http.Header{"X-User": {user}})
	for _, channel := range channels {
		w.here[channel] = make(map[string]bool)
		if err := w.conn.send("subscribe", "", map[string]any{"channel": channel}); err != nil {
			t.Fatal(err)
		}
	}
	var reading sync.WaitGroup
	reading.Go(w.follow)
	t.Cleanup(func() { w.conn.close(); reading.Wait() })
	until(t, "all rooms have told who is in them", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.known) == len(channels)
	})
	return w
}

func (w *memberWatch) follow() {
	for {
		_, data, err := w.conn.conn.ReadMessage()
		if err != nil {
			return
		}
		var m membership
		if json.Unmarshal(data, &m) == nil && m.Type == "presence" {
			w.take(&m)
		}
	}
}

func (w *memberWatch) take(m *membership) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &m.Payload
	room := w.here[p.Channel]
	if p.Users != nil {
		w.snapshot(p.Channel, p.Users)
		return
	}
	for _, who := range p.Entered {
		w.change(room, p.Channel, memberID(who), true)
	}
	for _, who := range p.Left {
		w.change(room, p.Channel, memberID(who), false)
	}
	if len(room) != p.Count {
		w.wrong = append(w.wrong, fmt.Sprintf("%s has %d members, and the event says %d", p.Channel, len(room), p.Count))
	}
}

// snapshot replaces what is known. After the first one it means that something was
// missed: no alternation is broken by it.
func (w *memberWatch) snapshot(channel string, users []json.RawMessage) {
	room := make(map[string]bool)
	for _, who := range users {
		room[memberID(who)] = true
	}
	w.here[channel], w.known[channel] = room, true
}

func (w *memberWatch) change(room map[string]bool, channel, id string, here bool) {
	w.events++
	if room[id] == here {
		w.wrong = append(w.wrong, fmt.Sprintf("%s: %s twice, here %v", channel, id, here))
	}
	if here {
		room[id] = true
	} else {
		delete(room, id)
	}
}

// memberID is the id of a member, which is a name alone or has more to it.
func memberID(who json.RawMessage) string {
	var id string
	if json.Unmarshal(who, &id) == nil {
		return id
	}
	var m struct{ ID string }
	_ = json.Unmarshal(who, &m)
	return m.ID
}

// others is how many members there are besides the watcher, in all rooms.
func (w *memberWatch) others() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, room := range w.here {
		n += len(room)
		if room[w.self] {
			n--
		}
	}
	return n
}

// changes is how many changes the watcher was told of.
func (w *memberWatch) changes() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.events
}

// check fails the test for what did not follow.
func (w *memberWatch) check() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wrong) > 0 {
		w.t.Errorf("%s saw %d changes that do not follow, such as %s", w.self, len(w.wrong), w.wrong[0])
	}
}

// guests are members on one node, each a user in one of the rooms.
type guests struct {
	t     *testing.T
	conns []*websocket.Conn
	wg    sync.WaitGroup
}

// invite connects so many guests, several at a time.
func invite(t *testing.T, base, name string, many int, channels []string) *guests {
	t.Helper()
	g := &guests{t: t, conns: make([]*websocket.Conn, many)}
	t.Cleanup(g.leave)
	var inviting sync.WaitGroup
	for k := range 16 {
		inviting.Go(func() {
			for i := k; i < many; i += 16 {
				if err := g.enter(i, base, fmt.Sprint(name, i), channels[i%len(channels)]); err != nil {
					t.Errorf("guest %d: %v", i, err)
					return
				}
			}
		})
	}
	inviting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return g
}

func (g *guests) enter(i int, base, user, channel string) error {
	c, err := openWS(dialer(), base, http.Header{"X-User": {user}})
	if err != nil {
		return err
	}
	g.conns[i] = c.conn
	if ev, err := c.call("subscribe", map[string]any{"channel": channel}); err != nil || ev.Type != "subscribed" {
		return fmt.Errorf("subscribing: %v, %w", ev, err)
	}
	_ = c.conn.SetReadDeadline(time.Time{})
	g.wg.Go(func() {
		for {
			if _, _, err := c.conn.NextReader(); err != nil {
				return
			}
		}
	})
	return nil
}

// leave cuts all of them off.
func (g *guests) leave() {
	for _, c := range g.conns {
		if c != nil {
			_ = c.Close()
		}
	}
	g.wg.Wait()
}

// listed counts the members that a node lists, in all rooms.
func listed(t *testing.T, base string, channels []string) (n int) {
	t.Helper()
	h := newHTTP(base, appKey, false)
	defer h.close()
	for _, channel := range channels {
		var page struct{ Count int }
		if err := h.get("/channels/"+channel+"/presence", &page); err != nil {
			t.Error(err)
		}
		n += page.Count
	}
	return n
}

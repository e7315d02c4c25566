package socketio

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// recovering is a server with recovery. All of its rooms have history but open:….
var recovering = &Server{
	Prefix:   "r.",
	Recovery: 2 * time.Minute,
	Namespaces: []Namespace{
		{Name: "/", Rooms: true, Rules: []Rule{{Event: "all", Do: All}, {Event: "typing", Do: All, Volatile: true}, {Event: "echo", Do: Reply}}},
		{Name: "/admin", Rooms: true},
	},
}

// page is socket.io-client: it keeps what the client keeps over connections.
type page struct {
	t      *testing.T
	w      *world
	user   string
	spaces []string
	pids   map[string]string
	last   map[string]string
	ids    map[string]string
	got    []string
	was    map[string]bool // recovered
	peer   *peer
}

func (w *world) page(spaces ...string) *page {
	return &page{t: w.t, w: w, spaces: spaces, pids: map[string]string{}, last: map[string]string{}, ids: map[string]string{}, was: map[string]bool{}}
}

// connect connects, as the client does when its connection was lost.
func (p *page) connect() *page {
	p.t.Helper()
	p.peer = p.w.connect()
	if p.user != "" {
		if e := p.peer.Identify(p.peer.Context(), auth.Identity{User: p.user}, func(*session.Principal) {}); e != nil {
			p.t.Fatal(e)
		}
	}
	for _, space := range p.spaces {
		p.open(space)
	}
	p.read()
	return p
}

// copy is another client with what this one knows.
func (p *page) copy() *page {
	c := *p
	c.pids, c.last, c.ids, c.was = maps.Clone(p.pids), maps.Clone(p.last), maps.Clone(p.ids), maps.Clone(p.was)
	return &c
}

func (p *page) open(space string) {
	said := map[string]any{"x": 1}
	if pid := p.pids[space]; pid != "" {
		said["pid"] = pid
		if last, there := p.last[space]; there {
			said["offset"] = last
		}
	}
	text, _ := json.Marshal(said)
	p.peer.say("0" + wireName(space) + string(text))
}

func wireName(space string) string {
	if space == "/" {
		return ""
	}
	return space + ","
}

// read takes what the client was sent.
func (p *page) read() {
	synctest.Wait()
	p.peer.wire.mu.Lock()
	text := p.peer.wire.text.String()
	p.peer.wire.text.Reset()
	p.peer.wire.mu.Unlock()
	for line := range strings.Lines(text) {
		p.take(strings.TrimSuffix(line, "\n"))
	}
}

func (p *page) take(line string) {
	if len(line) < 2 || line[0] != '4' {
		return
	}
	kind, rest, space := line[1], line[2:], "/"
	if strings.HasPrefix(rest, "/") {
		space, rest, _ = strings.Cut(rest, ",")
	}
	switch kind {
	case kindConnect:
		var said struct{ SID, PID string }
		if err := json.Unmarshal([]byte(rest), &said); err != nil {
			p.t.Fatal(err)
		}
		p.was[space] = said.PID != "" && said.PID == p.pids[space]
		p.pids[space], p.ids[space] = said.PID, said.SID
	case kindEvent:
		var args []any
		if err := json.Unmarshal([]byte(rest), &args); err != nil {
			p.t.Fatal(err)
		}
		if offset, is := args[len(args)-1].(string); is {
			p.last[space] = offset
		}
		if len(args) > 1 {
			p.got = append(p.got, fmt.Sprint(args[1]))
		}
	}
}

// hears returns what the client has heard since the last time.
func (p *page) hears(want string) {
	p.t.Helper()
	p.read()
	if got := strings.Join(p.got, " "); got != want {
		p.t.Errorf("the client hears %q, not %q", got, want)
	}
	p.got = nil
}

// lose ends the connection. What the client was sent since it last read is lost.
func (p *page) lose(reason hub.Reason) {
	synctest.Wait()
	p.peer.Conn().Close(reason)
	synctest.Wait()
	p.got = nil
}

func (p *page) join(space, room string) {
	p.peer.say("2" + wireName(space) + `["join","` + room + `"]`)
}

// back reconnects, and checks whether the client has recovered with its id.
func (p *page) back(recovered bool) {
	p.t.Helper()
	before := maps.Clone(p.ids)
	p.connect()
	for _, space := range p.spaces {
		if p.was[space] != recovered || recovered != (before[space] == p.ids[space]) {
			p.t.Errorf("%s: recovered %v, id %s, before %s", space, p.was[space], p.ids[space], before[space])
		}
		if p.pids[space] == "" {
			p.t.Errorf("%s: no pid", space)
		}
	}
}

func (w *world) say(room, content string) {
	w.t.Helper()
	w.publish(protocol.Publish{Channel: room, Event: "e", Content: json.RawMessage(`"` + content + `"`)})
	time.Sleep(time.Millisecond) // messages of different rooms are ordered by their time
}

func TestRecovery(t *testing.T) {
	inWorld(t, recovering, func(w *world) {
		p := w.page("/", "/admin").connect()
		p.join("/", "a")
		p.join("/admin", "b")
		w.say("r.io:/", "1")
		w.say("r.a", "2")
		w.say("r.admin:b", "3")
		p.hears("1 2 3")
		w.say("r.a", "4") // on its way when the connection is lost
		w.say("r.admin:b", "5")
		w.say("r.io:/", "6")
		p.lose(hub.ReasonLost)
		for i, room := range []string{"r.a", "r.io:/", "r.admin:b", "r.a"} {
			w.say(room, fmt.Sprint(7+i))
		}
		p.back(true)
		p.hears("4 6 7 8 10 5 9")
		w.say("r.admin:b", "11")
		w.say("r.a", "12")
		p.hears("11 12")
		p.lose(hub.ReasonLost)
		p.back(true)
		w.say("r.io:/", "13")
		p.hears("13")
	})
}

// A client that is lost again, before or within what it gets again, gets the rest.
func TestRecoveryAgain(t *testing.T) {
	inWorld(t, recovering, func(w *world) {
		p := w.page("/").connect()
		p.join("/", "a")
		for i := range 6 {
			w.say([]string{"r.a", "r.io:/"}[i%2], fmt.Sprint(i))
		}
		p.lose(hub.ReasonLost)
		for i := range 6 {
			p.peer = w.connect()
			p.open("/")
			synctest.Wait()
			lines := strings.Split(p.peer.wire.text.String(), "\n")
			for _, line := range lines[:2] { // the answer, and one event
				p.take(line)
			}
			if !p.was["/"] || strings.Join(p.got, " ") != fmt.Sprint(i) {
				t.Fatalf("loss %d: %v %q of %q", i, p.was, p.got, lines)
			}
			p.lose(hub.ReasonLost)
		}
		p.back(true)
		p.hears("")
	})
}

// Events whose last argument is a text, without a position, are not taken for offsets.
func TestRecoveryOfOddOffsets(t *testing.T) {
	inWorld(t, recovering, func(w *world) {
		p := w.page("/").connect()
		w.say("r.io:/", "1")
		p.read()
		p.peer.say(`2["typing","ann"]`)
		p.peer.say(`2["echo","text"]`)
		p.peer.say(`2["echo"]`)
		p.hears("1 ann text <nil>")
		p.lose(hub.ReasonLost)
		w.say("r.io:/", "2")
		p.back(true)
		p.hears("2")
	})
}

// A client that has heard nothing recovers, also if its offset is from an earlier connection.
func TestRecoveryOfSilence(t *testing.T) {
	inWorld(t, recovering, func(w *world) {
		p := w.page("/").connect()
		p.lose(hub.ReasonLost)
		w.say("r.io:/", "1")
		p.back(true)
		p.hears("1")
		p.lose(protocol.ReasonForbidden) // this leaves nothing
		p.back(false)
		p.lose(hub.ReasonLost)
		w.say("r.io:/", "2")
		p.back(true)
		p.hears("2")
	})
}

// Whoever is not meant gets a new session.
func TestNoRecovery(t *testing.T) {
	for name, c := range map[string]struct {
		before func(p *page)
		reason hub.Reason
		after  func(w *world, p *page)
	}{
		"a room without history":   {before: func(p *page) { p.join("/", "open:1") }},
		"too late":                 {after: func(*world, *page) { time.Sleep(2 * time.Minute) }},
		"the history is too short": {after: func(w *world, _ *page) { repeat(11, func() { w.say("r.a", "x") }) }},
		"another user":             {after: func(_ *world, p *page) { p.user = "bob" }},
		"nobody":                   {after: func(_ *world, p *page) { p.user = "" }},
		"a guessed pid":            {after: func(_ *world, p *page) { p.pids["/"] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" }},
		"a made-up offset":         {after: func(_ *world, p *page) { p.last["/"] = "epoch.5" }},
		"an odd offset":            {after: func(_ *world, p *page) { p.last["/"] = "hello" }},
		"an offset of the future":  {after: func(_ *world, p *page) { p.last["/"] = bump(p.last["/"]) }},
		"the app closed it":        {reason: protocol.ReasonForbidden},
		"a broken packet":          {reason: protocol.ReasonProtocol},
		"the pid of another namespace": {after: func(_ *world, p *page) {
			p.spaces = []string{"/admin"}
			p.pids["/admin"], p.last["/admin"] = p.pids["/"], p.last["/"]
		}},
		"the user was kicked": {after: func(w *world, p *page) {
			_, _ = w.registry.Kicks.User(w.t.Context(), "ann", protocol.ReasonForbidden)
			time.Sleep(time.Second)
		}},
		"the connection was kicked": {after: func(w *world, p *page) {
			_, _ = w.registry.Kicks.Connection(w.t.Context(), p.ids["/"], protocol.ReasonForbidden)
		}},
		"the app has put it out of a room": {after: func(w *world, p *page) {
			_, _ = w.registry.Enrollment.Unsubscribe(w.t.Context(), session.Target{User: "ann"}, "r.a")
		}},
		"the same of a connection": {after: func(w *world, p *page) {
			_, _ = w.registry.Enrollment.Unsubscribe(w.t.Context(), session.Target{Connection: p.ids["/"]}, "r.a")
		}},
		"it has disconnected": {before: func(p *page) { p.peer.say("1") }, reason: hub.ReasonNormal},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, recovering, func(w *world) {
				p := w.page("/")
				p.user = "ann"
				p.connect()
				p.join("/", "a")
				w.say("r.a", "1")
				p.hears("1")
				if c.before != nil {
					c.before(p)
				}
				if c.reason == (hub.Reason{}) {
					c.reason = hub.ReasonLost
				}
				p.lose(c.reason)
				if c.after != nil {
					c.after(w, p)
				}
				w.say("r.a", "2")
				ids := []string{p.ids["/"]}
				p.back(false)
				p.hears("")
				if slices.Contains(ids, p.ids[p.spaces[0]]) {
					t.Error("the id of the lost connection")
				}
			})
		})
	}
}

func repeat(n int, f func()) {
	for range n {
		f()
	}
}

// bump returns a later offset.
func bump(offset string) string {
	epoch, _, _ := strings.Cut(offset, ".")
	return epoch + ".9"
}

// A pid serves one connection, and none while the client is connected.
func TestRecoveryOnce(t *testing.T) {
	inWorld(t, recovering, func(w *world) {
		p := w.page("/").connect()
		p.join("/", "a")
		w.say("r.a", "1")
		p.hears("1")
		p.copy().back(false)
		p.lose(hub.ReasonLost)
		again := p.copy()
		p.back(true)
		again.back(false)
	})
}

// Who has lost two namespaces and comes back to one of them does not lose the other one.
func TestRecoveryOfPartOfIt(t *testing.T) {
	inWorld(t, recovering, func(w *world) {
		p := w.page("/", "/admin").connect()
		p.join("/admin", "b")
		w.say("r.io:/", "1")
		w.say("r.admin:b", "2")
		p.hears("1 2")
		p.lose(hub.ReasonLost)
		p.spaces = []string{"/"}
		p.back(true)
		p.lose(hub.ReasonLost)
		w.say("r.admin:b", "3")
		p.spaces = []string{"/", "/admin"}
		p.back(true)
		p.hears("3")
	})
}

// Nothing is missing from what clients get, wherever they are cut.
func TestRecoveryIsComplete(t *testing.T) {
	inWorld(t, recovering, func(w *world) {
		p := w.page("/", "/admin").connect()
		rooms := []string{"r.io:/", "r.a", "r.admin:b", "r.io:/admin"}
		p.join("/", "a")
		p.join("/admin", "b")
		seen := map[string][]string{}
		for i := range 200 {
			room := rooms[i*i%7%4]
			w.say(room, fmt.Sprint(room, " ", i))
			if i%3 == 0 {
				p.read()
			}
			if i%5 == 4 {
				read := slices.Clone(p.got)
				p.lose(hub.ReasonLost)
				p.got = read
				w.say(rooms[i%4], fmt.Sprint(rooms[i%4], " lost ", i))
				p.back(true)
			}
		}
		p.read()
		for _, text := range p.got {
			room, _, _ := strings.Cut(text, " ")
			seen[room] = append(seen[room], text)
		}
		want := map[string][]string{}
		for i := range 200 {
			room := rooms[i*i%7%4]
			want[room] = append(want[room], fmt.Sprint(room, " ", i))
			if i%5 == 4 {
				want[rooms[i%4]] = append(want[rooms[i%4]], fmt.Sprint(rooms[i%4], " lost ", i))
			}
		}
		for room := range want {
			if !slices.Equal(seen[room], want[room]) {
				t.Errorf("%s: %q, not %q", room, seen[room], want[room])
			}
		}
	})
}

// What the app did to the rooms of a connection stays, and so does its member.
func TestRecoveryOfRooms(t *testing.T) {
	inWorld(t, recovering, func(w *world) {
		p, other := w.page("/").connect(), w.page("/").connect()
		for _, each := range []*page{p, other} {
			each.join("/", "with:1")
		}
		if ended, e := w.registry.Enrollment.Subscribe(t.Context(), session.Target{Connection: p.ids["/"]}, "r.users:1"); e != nil || ended.Connections != 1 {
			t.Fatal(ended, e)
		}
		time.Sleep(time.Second)
		p.read()
		other.read()
		p.lose(hub.ReasonNormal) // the client closes its transport, not the socket
		other.got = nil
		p.got = nil
		w.say("r.users:1", "1")
		p.back(true)
		if !slices.Contains(p.got, "1") || !p.peer.Conn().In("r.with:1") {
			t.Errorf("heard %q", p.got)
		}
		time.Sleep(2 * time.Minute)
		other.hears("")
	})
}

// The app is not shown the secret.
func TestRecoveryIsNoAuth(t *testing.T) {
	d := New(recovering)
	for text, want := range map[string]string{
		`{"pid":"P","offset":"e1.5","token":"t"}`:         `{"token":"t"}`,
		`{"pid":"P","offset":"e1.5.0000000a"}`:            "",
		`{"pid":"P","a":{"pid":1,"x":[","]},"offset":{}}`: `{"a":{"pid":1,"x":[","]}}`,
		`{"token":"t","offset":"mine"}`:                   `{"token":"t","offset":"mine"}`,
	} {
		in := &joined{auth: json.RawMessage(text)}
		if d.takeFormer(in); string(in.auth) != want {
			t.Errorf("%s: %s", text, in.auth)
		}
	}
	if f := d.takeFormer(&joined{auth: json.RawMessage(`{"pid":"P","offset":"e1.5"}`)}); f == nil || f.pid != "P" || f.last.Offset != 5 || f.last.Epoch != "e1" {
		t.Errorf("%+v", f)
	}
}

// Binary events end with the offset as well.
func TestOffsets(t *testing.T) {
	inWorld(t, recovering, func(w *world) {
		p := w.page("/").connect()
		w.publish(protocol.Publish{Channel: "r.io:/", Event: "e", Content: json.RawMessage(`{"_base64":"AA=="}`), Tags: json.RawMessage(`{"socketio":"binary"}`)})
		synctest.Wait()
		text := p.peer.wire.text.String()
		if !strings.HasPrefix(text, `451-["e",{"_placeholder":true,"num":0},"`) || strings.Contains(text, "null") {
			t.Errorf("%s", text)
		}
	})
}

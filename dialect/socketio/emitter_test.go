package socketio

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// pack writes MessagePack of JSON as emitters do, binary data as {"_base64":…} aside.
func pack(t testing.TB, text string) string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var out []byte
	var one func() bool // reports whether there was a value
	counted := func(short byte, long byte) {
		at, n := len(out), 0
		out = append(out, long, 0, 0)
		for one() {
			n++
		}
		if long == 0xDE {
			n /= 2
		}
		if n < 16 {
			out = append(append(out[:at:at], short|byte(n)), out[at+3:]...)
			return
		}
		out[at+1], out[at+2] = byte(n>>8), byte(n)
	}
	one = func() bool {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch v := token.(type) {
		case json.Delim:
			switch v {
			case '[':
				counted(0x90, 0xDC)
			case '{':
				counted(0x80, 0xDE)
			default:
				return false
			}
		case string:
			if strings.HasPrefix(v, "bin:") {
				out = append(append(out, 0xC4, byte(len(v)-4)), v[4:]...)
			} else {
				out = append(append(out, 0xD9, byte(len(v))), v...)
			}
		case json.Number:
			n, err := v.Int64()
			if err != nil || n < 0 || n > 127 {
				t.Fatal(v)
			}
			out = append(out, byte(n))
		case nil:
			out = append(out, 0xC0)
		case bool:
			out = append(out, map[bool]byte{true: 0xC3, false: 0xC2}[v])
		}
		return true
	}
	one()
	return string(out)
}

// takeFrame carries a frame out, as the only node.
func takeFrame(t *testing.T, e *Emitter, w *world, channel, payload string) {
	t.Helper()
	here, all := e.Take(w.registry, channel, payload)
	for _, do := range []func(context.Context){here, all} {
		if do != nil {
			do(w.t.Context())
		}
	}
}

// inEmitterWorld runs a test with an emitter. hear publishes in a channel of Redis, and returns what was
// logged.
func inEmitterWorld(t *testing.T, test func(w *world, hear func(channel, payload string) string)) {
	t.Helper()
	s := &Server{Namespaces: []Namespace{{Name: root, Rooms: true}, {Name: "/admin"}}}
	inWorld(t, s, func(w *world) {
		var log strings.Builder
		e := NewEmitter(s, slog.New(slog.NewTextHandler(&log, nil)))
		test(w, func(channel, payload string) string {
			log.Reset()
			takeFrame(t, e, w, channel, payload)
			return log.String()
		})
	})
}

// joins a room by the rooms profile.
func (p *peer) enters(room string) *peer {
	p.w.t.Helper()
	p.say(`20["join","` + room + `"]`)
	p.hears(`430[{"ok":true,"room":"` + room + `"}]`)
	return p
}

func TestEmitterEvents(t *testing.T) {
	inEmitterWorld(t, func(w *world, hear func(channel, payload string) string) {
		emit := func(event, to string) {
			t.Helper()
			if said := hear(emittedPattern, pack(t, `["emitter",{"type":2,"data":`+event+`,"nsp":"/"},`+to+`]`)); said != "" {
				t.Errorf("%s is rejected: %s", event, said)
			}
		}
		a, b, c := w.joins(), w.joins().enters("open:1"), w.joins().enters("open:1").enters("open:2")
		hears := func(as, bs, cs []string) {
			t.Helper()
			a.hears(as...)
			b.hears(bs...)
			c.hears(cs...)
		}
		in1, in2 := `42["e",1,{"room":"open:1","ts":946684800000}]`, `42["e",1,{"room":"open:2","ts":946684800000}]`
		emit(`["e",{"b":[true,null],"a":"x"}]`, `{"rooms":[],"flags":{},"except":[]}`)
		all := []string{`42["e",{"b":[true,null],"a":"x"}]`}
		hears(all, all, all)
		emit(`["e"]`, `{}`)
		hears([]string{`42["e"]`}, []string{`42["e"]`}, []string{`42["e"]`})
		emit(`["e",1]`, `{"rooms":["open:1"]}`)
		hears(nil, []string{in1}, []string{in1})
		emit(`["e",1]`, `{"rooms":["open:2","open:1"]}`)
		hears(nil, []string{in1}, []string{in2}) // once each
		emit(`["e",1]`, `{"rooms":["open:1"],"except":["open:2"]}`)
		hears(nil, []string{in1}, nil)
		emit(`["e",1]`, `{"except":["`+b.Conn().ID()+`","open:2"],"flags":{"volatile":true}}`)
		hears([]string{`42["e",1]`}, nil, nil)
		emit(`["e",1]`, `{"rooms":["`+a.Conn().ID()+`","open:2"]}`)
		hears([]string{`42["e",1]`}, nil, []string{in2})
		emit(`["e","bin:xy",{"d":"bin:z"}]`, `{"rooms":["`+a.Conn().ID()+`"]}`)
		hears([]string{`452-["e",{"_placeholder":true,"num":0},{"d":{"_placeholder":true,"num":1}}]`, "binary 7879", "binary 7a"}, nil, nil)
		emit(`["e","bin:xy"]`, `{}`)
		one := []string{`451-["e",{"_placeholder":true,"num":0}]`, "binary 7879"}
		hears(one, one, one)
	})
}

func TestEmitterNamespaces(t *testing.T) {
	inEmitterWorld(t, func(w *world, hear func(channel, payload string) string) {
		a, b := w.joins(), w.connect()
		b.say("0/admin,")
		b.hears(`40/admin,{"sid":"ID"}`)
		hear(emittedPattern, pack(t, `["emitter",{"type":2,"data":["e",1],"nsp":"/admin"},{}]`))
		a.hears()
		b.hears(`42/admin,["e",1]`)
		if said := hear(emittedPattern, pack(t, `["emitter",{"type":2,"data":["e",1],"nsp":"/other"},{}]`)); !strings.Contains(said, "Invalid namespace") {
			t.Errorf("logged %q", said)
		}
	})
}

// History keeps what an emitter sends, and volatile events not.
func TestEmitterHistory(t *testing.T) {
	inEmitterWorld(t, func(w *world, hear func(channel, payload string) string) {
		hear(emittedPattern, pack(t, `["emitter",{"type":2,"data":["e",1],"nsp":"/"},{"rooms":["kept:1"]}]`))
		hear(emittedPattern, pack(t, `["emitter",{"type":2,"data":["e",2],"nsp":"/"},{"rooms":["kept:1"],"flags":{"volatile":true}}]`))
		page, e := w.registry.Publishing.History(t.Context(), session.Caller{App: true}, protocol.History{Channel: "kept:1", Limit: 10})
		if e != nil || len(page.Messages) != 1 || string(page.Messages[0].Content) != "1" {
			t.Errorf("%+v, %v", page, e)
		}
	})
}

func TestEmitterRequests(t *testing.T) {
	inEmitterWorld(t, func(w *world, hear func(channel, payload string) string) {
		a, b := w.joins(), w.joins()
		to := func(request string) { t.Helper(); hear(requestChannel+"/#", request) }
		to(`{"type":2,"opts":{"rooms":["` + a.Conn().ID() + `"],"except":[]},"rooms":["open:1","open:2"]}`)
		if !a.Conn().In("open:1") || !a.Conn().In("open:2") || b.Conn().In("open:1") {
			t.Error("one client has not joined")
		}
		to(`{"type":2,"opts":{"rooms":[],"except":[]},"rooms":["open:3"]}`)
		to(`{"type":3,"opts":{"rooms":["open:3"],"except":["open:1"]},"rooms":["open:3"]}`)
		if !a.Conn().In("open:3") || b.Conn().In("open:3") {
			t.Error("the wrong client has left")
		}
		hear(pythonChannel, `{"method":"leave_room","sid":"`+a.Conn().ID()+`","room":"open:1","namespace":"/","host_id":"h"}`)
		hear(pythonChannel, `{"method":"enter_room","sid":"`+b.Conn().ID()+`","room":"open:1","namespace":"/","host_id":"h"}`)
		if a.Conn().In("open:1") || !b.Conn().In("open:1") {
			t.Error("enter_room and leave_room do nothing")
		}
		hear(pythonChannel, `{"method":"close_room","room":"open:2","namespace":"/","host_id":"h"}`)
		if a.Conn().In("open:2") {
			t.Error("a closed room has clients")
		}
		a.hears(`42["unsubscribed",{"room":"open:1","error":{"code":"forbidden","message":"the app has unsubscribed you from this channel"}}]`,
			`42["unsubscribed",{"room":"open:2","error":{"code":"forbidden","message":"the app has unsubscribed you from this channel"}}]`)
		b.hears(`42["unsubscribed",{"room":"open:3","error":{"code":"forbidden","message":"the app has unsubscribed you from this channel"}}]`)
		to(`{"type":4,"opts":{"rooms":["open:1"],"except":[]},"close":true}`)
		b.hears("41\x1e41/admin,end disconnected by the app")
		a.hears()
	})
}

// python-socketio 5.14 writes this.
func TestEmitterOfPython(t *testing.T) {
	inEmitterWorld(t, func(w *world, hear func(channel, payload string) string) {
		a := w.joins()
		for _, test := range []struct{ members, want string }{
			{`"binary": false, "data": [{"b": 1, "a": [1, 2.50]}]`, `42["e",{"b":1,"a":[1,2.50]}]`},
			{`"binary": false, "data": ["two", 3]`, `42["e","two",3]`},
			{`"binary": false, "data": [null]`, `42["e"]`},
			{`"data": ["one", "argument"]`, `42["e",["one","argument"]]`},
			{`"data": null`, `42["e"]`},
			{`"binary": true, "data": [[{"_placeholder": true, "num": 0}, 1], "aGk="]`, "451-[\"e\",{\"_placeholder\":true,\"num\":0},1]\nbinary 6869"},
		} {
			said := hear(pythonChannel, `{"method": "emit", "event": "e", `+test.members+`, "namespace": "/", "room": null, "skip_sid": null, "callback": null, "host_id": "0123456789abcdef"}`)
			if said != "" {
				t.Errorf("%s is rejected: %s", test.members, said)
			}
			a.hears(test.want)
		}
		hear(pythonChannel, `{"method":"emit","event":"e","data":1,"namespace":null,"room":"`+a.Conn().ID()+`","skip_sid":null}`)
		a.hears(`42["e",1]`)
		hear(pythonChannel, `{"method":"emit","event":"e","data":1,"room":["open:1"],"skip_sid":["`+a.Conn().ID()+`"]}`)
		hear(pythonChannel, `{"method":"callback","host_id":"h","sid":"s","id":1,"args":[]}`)
		a.hears()
	})
}

// What is not understood is logged, once a minute, and reaches nobody.
func TestEmitterRejects(t *testing.T) {
	inEmitterWorld(t, func(w *world, hear func(channel, payload string) string) {
		a := w.joins()
		many := `"r0"`
		for i := range maxEmittedRooms {
			many += fmt.Sprintf(`,"r%d"`, i+1)
		}
		for i, test := range []struct{ channel, payload, reason string }{
			{pythonChannel, "\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.", "pickle"},
			{pythonChannel, `{"method":"run"}`, "not known"},
			{pythonChannel, `{"method":"emit","event":"connect","data":1}`, "no name"},
			{pythonChannel, `{"method":"emit","event":"e","binary":true,"data":[[1],"?"]}`, "base64"},
			{pythonChannel, "[", "unexpected end"},
			{requestChannel + "/#", `{"type":6,"uid":"emitter","data":["x"]}`, "servers of Socket.IO"},
			{requestChannel + "/#", `{"type":2,"opts":{"rooms":[" x"]},"rooms":["open:1"]}`, "space"},
			{emittedPattern, "\xc1", "MessagePack"},
			{emittedPattern, strings.Repeat("\x91", 1000), "MessagePack"},
			{emittedPattern, pack(t, `["emitter"]`), "not an event"},
			{emittedPattern, pack(t, `["emitter",{"type":3,"data":["e"],"nsp":"/"},{}]`), "type 3"},
			{emittedPattern, pack(t, `["emitter",{"type":2,"data":["disconnect"],"nsp":"/"},{}]`), "no name"},
			{emittedPattern, pack(t, `["emitter",{"type":2,"data":["e"],"nsp":"/"},{"rooms":[`+many+`]}]`), "more than 64 rooms"},
			{emittedPattern, pack(t, `["emitter",{"type":2,"data":["e"],"nsp":"/"},{"rooms":["io:/"]}]`), "belongs to the server"},
			{emittedPattern, pack(t, `["emitter",{"type":2,"data":["e"],"nsp":"/"},{"rooms":["closed"]}]`), "closed"},
			{emittedPattern, strings.Repeat("x", w.registry.MessageSize()+emittedSpace+1), "message_size"},
		} {
			e := NewEmitter(w.server, nil)
			var log strings.Builder
			e.log = slog.New(slog.NewTextHandler(&log, nil))
			for range 3 {
				takeFrame(t, e, w, test.channel, test.payload)
			}
			if said := log.String(); !strings.Contains(said, test.reason) || strings.Count(said, "\n") != 1 {
				t.Errorf("%d: logged %q, without %q", i, said, test.reason)
			}
		}
		a.hears()
	})
}

// Each reason is logged once a minute, with the channel in which the frame was published. What a frame quotes
// does not fill the log or the memory.
func TestEmitterComplaints(t *testing.T) {
	inEmitterWorld(t, func(w *world, hear func(channel, payload string) string) {
		channel := "socket.io#/#open:1#"
		for _, reason := range []string{"not an event", "type 3", ""} {
			frame := map[string]string{"type 3": `["emitter",{"type":3,"data":["e"],"nsp":"/"},{}]`}[reason]
			if frame == "" {
				frame = `["emitter"]`
			}
			said := hear(channel, pack(t, frame))
			if reason == "" && said != "" || !strings.Contains(said, reason) || reason != "" && !strings.Contains(said, channel) {
				t.Errorf("%q: logged %q", reason, said)
			}
		}
		if said := hear("socket.io#/#"+strings.Repeat("x", 1000), "\xc1"); len(said) > 600 {
			t.Errorf("logged %q", said)
		}
		lines := 0
		for i := range 2 * maxComplaints {
			lines += strings.Count(hear(pythonChannel, fmt.Sprintf(`{"method":"m%d"}`, i)), "\n")
		}
		if lines >= maxComplaints {
			t.Errorf("%d lines within a minute", lines)
		}
		time.Sleep(time.Minute)
		if hear(channel, pack(t, `["emitter"]`)) == "" {
			t.Error("nothing is logged after a minute")
		}
	})
}

// A client that is left out by its id does not get the message from the history either. Others do.
func TestEmitterExceptInHistory(t *testing.T) {
	inEmitterWorld(t, func(w *world, hear func(channel, payload string) string) {
		a, b := w.joins(), w.joins()
		hear(emittedPattern, pack(t, `["emitter",{"type":2,"data":["secret"],"nsp":"/"},{"rooms":["kept:1"],"except":["`+a.Conn().ID()+`"]}]`))
		for p, has := range map[*peer]bool{a: false, b: true} {
			p.say(`20["join",{"room":"kept:1","history":5}]`)
			synctest.Wait()
			p.wire.mu.Lock()
			text := p.wire.text.String()
			p.wire.mu.Unlock()
			if !strings.Contains(text, `"ok":true`) || strings.Contains(text, "secret") != has {
				t.Errorf("heard %s", text)
			}
		}
	})
}

func TestMsgpack(t *testing.T) {
	for in, want := range map[string]string{
		"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00":     "1.5",
		"\xca\x40\x20\x00\x00":                     "2.5",
		"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00":     "null",
		"\xcf\x00\x20\x00\x00\x00\x00\x00\x00":     "9007199254740992",
		"\xd3\xff\xff\xff\xff\xff\xff\xff\xfe":     "-2",
		"\xd0\x80\x00":                             "",
		"\xd0\x80":                                 "-128",
		"\xd1\xff\x00":                             "-256",
		"\xe0":                                     "-32",
		"\xcd\x01\x00":                             "256",
		"\xa3a\x22\xff":                            `"a\"` + "\\ufffd" + `"`,
		"\xda\x00\x01x":                            `"x"`,
		"\xd6\xff\x00\x00\x00\x01":                 `"1970-01-01T00:00:01.000Z"`,
		"\xd7\xff\x00\x3d\x09\x00\x00\x00\x00\x01": `"1970-01-01T00:00:01.001Z"`,
		"\xd4\x00\x00":                             "null",
		"\x82\xa1b\x01\xa1a\x90":                   `{"b":1,"a":[]}`,
		"\x81\x01\x01":                             "",
		"\xdd\xff\xff\xff\xff":                     "",
		"\xdf\xff\xff\xff\xff":                     "",
		"\xc6\xff\xff\xff\xff":                     "",
		"\xc4\x02hi":                               `{"_base64":"aGk="}`,
		"\xc1":                                     "",
		"":                                         "",
		"\x92\x01":                                 "",
		strings.Repeat("\x91", 70):                 "",
	} {
		text, _, err := msgpackToJSON([]byte(in))
		if (err != nil) != (want == "") || err == nil && string(text) != want {
			t.Errorf("%q: %s, %v; want %s", in, text, err, want)
		}
	}
}

// One goroutine takes all frames, so a frame of many small values must not cost more than its bytes. Only the output grows.
func TestMsgpackAllocations(t *testing.T) {
	frame := []byte{0xDC, 0x4E, 0x20}
	for range 5000 { // of each kind with a size behind it that may be empty
		frame = append(frame, 0xD9, 1, 'a', 0xC4, 0, 0xDC, 0, 0, 0xDE, 0, 0)
	}
	n := testing.AllocsPerRun(5, func() {
		if _, _, err := msgpackToJSON(frame); err != nil {
			t.Fatal(err)
		}
	})
	if n > 50 {
		t.Errorf("%v allocations for %d values", n, 20_000)
	}
}

// FuzzEmitted reads what anybody may publish in Redis.
func FuzzEmitted(f *testing.F) {
	f.Add([]byte(pack(f, `["emitter",{"type":2,"data":["e",{"a":"bin:x"}],"nsp":"/"},{"rooms":["r",1],"except":[],"flags":{"volatile":true}}]`)))
	f.Add([]byte(`{"method":"emit","event":"e","binary":true,"data":[[{"_placeholder":true,"num":0}],"aGk="],"room":["a"]}`))
	f.Add([]byte(`{"type":2,"opts":{"rooms":["a"]},"rooms":["b", 1]}`))
	f.Add([]byte("\x80\x04."))
	f.Fuzz(func(t *testing.T, frame []byte) {
		events := make([]*emitted, 2)
		events[0], _ = parseEmitted(frame)
		events[1], _, _ = parsePython(frame)
		_, _ = parseRequest(root, frame)
		if text, _, err := msgpackToJSON(frame); err == nil && !json.Valid(text) {
			t.Errorf("%q becomes %q", frame, text)
		}
		for _, e := range events {
			if e == nil || e.event == "" {
				continue
			}
			for _, a := range e.args {
				if !json.Valid(a) {
					t.Errorf("an argument is %q", a)
				}
			}
		}
	})
}

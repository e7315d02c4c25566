package conformance

import (
	"net/http"
	"strings"
	"time"
)

var frameChecks = []Check{
	{"connected is the first frame, with the version", "Events", nil, func(r *run) {
		e := r.open().connected.want("version", 1)
		if id, _ := e.Payload["connection"].(string); id == "" || e.Payload.number("heartbeat") <= 0 {
			fail("%s has no connection or no heartbeat", e)
		}
	}},
	{"the subprotocol realtime.v1 is confirmed", "Frames", nil, func(r *run) {
		c := r.openWith(http.Header{"Sec-Websocket-Protocol": {"realtime.v1"}})
		if got := c.answer.Header.Get("Sec-WebSocket-Protocol"); got != "realtime.v1" {
			fail("the handshake confirms the subprotocol %q", got)
		}
		c.expect("connected")
	}},
	{"a reply repeats an id that is a string", "Frames", nil, func(r *run) {
		c := r.open()
		id := `"` + strings.Repeat("x", 64) + `"`
		c.post(`{"type":"ping","id":` + id + `}`)
		c.reply(id)
	}},
	{"a reply repeats an id that is an integer", "Frames", nil, func(r *run) {
		c := r.open()
		c.post(`{"type":"ping","id":9007199254740991}`)
		c.reply("9007199254740991")
	}},
	{"an id of more than 64 bytes is an error", "Frames", nil, func(r *run) {
		refused(r, `{"type":"ping","id":"`+strings.Repeat("x", 65)+`"}`, "INVALID_MESSAGE")
	}},
	{"frames have a timestamp in milliseconds", "Frames", nil, func(r *run) {
		e := r.open().do("ping", object{}, "pong")
		if at := time.UnixMilli(e.Timestamp); time.Since(at).Abs() > 24*time.Hour {
			fail("%s has a timestamp that stands for %s", e, at)
		}
	}},
	{"unknown fields of a payload are ignored", "Frames", []need{needRoom(Plain)}, func(r *run) {
		r.open().do("subscribe", object{"channel": r.channel(Plain), "of-the-future": []int{1}}, "subscribed")
	}},
	{"an unknown type is an error", "Frames", nil, func(r *run) {
		r.open().rejected("of-the-future", object{}, "UNKNOWN_TYPE")
	}},
	{"a frame that is not JSON is an error", "Frames", nil, func(r *run) {
		refused(r, `{"type":"ping"`, "INVALID_JSON")
	}},
	{"two values in one frame are an error", "Frames", nil, func(r *run) {
		refused(r, `{"type":"ping"} {"type":"ping"}`, "INVALID_JSON")
	}},
	{"a field of the wrong type is an error", "Frames", nil, func(r *run) {
		r.open().rejected("subscribe", object{"channel": 7}, "INVALID_MESSAGE")
	}},
	{"a repeated field is an error", "Frames", nil, func(r *run) {
		refused(r, `{"type":"ping","type":"ping"}`, "INVALID_MESSAGE")
	}},
	{"nesting deeper than 64 levels is an error", "Frames", []need{needRoom(Plain)}, func(r *run) {
		deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
		refused(r, `{"type":"message","payload":{"channel":"`+r.channel(Plain)+`","content":`+deep+`}}`, "INVALID_MESSAGE")
	}},
	{"text that is not UTF-8 closes with 1007", "Frames", nil, func(r *run) {
		c := r.open()
		c.post("{\"type\":\"\xff\"}")
		c.wantClose(1007)
	}},
	{"a binary frame closes with 1003", "Frames", nil, func(r *run) {
		c := r.open()
		if err := c.write(opBinary, []byte(`{"type":"ping"}`)); err != nil {
			fail("could not send: %v", err)
		}
		c.wantClose(1003)
	}},
	{"a message may come in fragments", "Frames", nil, func(r *run) {
		c := r.open()
		for i, part := range []string{`{"type":`, `"ping",`, `"id":"f"}`} {
			first := []byte{opText, 0, 0x80}[i] // the last one has the bit FIN
			if err := c.frame(first, []byte(part)); err != nil {
				fail("could not send: %v", err)
			}
		}
		c.reply(`"f"`)
	}},
	{"a ping of WebSocket is answered with its payload", "Liveness", nil, func(r *run) {
		c := r.open()
		if err := c.write(opPing, []byte("are you there")); err != nil {
			fail("could not send: %v", err)
		}
		c.alive()
		if len(c.pongs) != 1 || c.pongs[0] != "are you there" {
			fail("the pongs are %q", c.pongs)
		}
	}},
	{"ping is answered with pong", "Liveness", nil, func(r *run) { r.open().alive() }},
}

// refused checks that a frame is answered with an error, and that the connection stays open.
func refused(r *run, frame, code string) {
	c := r.open()
	c.post(frame)
	c.expect("error").want("code", code)
	c.alive()
}

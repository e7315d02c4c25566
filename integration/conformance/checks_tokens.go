package conformance

import (
	"errors"
	"net/http"
	"net/url"
	"time"
)

var tokenChecks = []Check{
	{"a token in the handshake makes a connection that of its user", "Connect", []need{needSecret}, func(r *run) {
		name := unique()
		c := r.openWith(http.Header{"Authorization": {"Bearer " + r.token(name, time.Hour)}})
		c.expect("connected").want("user", name)
	}},
	{"a handshake with a token that does not count is rejected with 401", "Connect", []need{needSecret}, func(r *run) {
		for _, token := range []string{"x.y.z", r.token(unique(), -time.Hour)} {
			_, err := r.dial(http.Header{"Authorization": {"Bearer " + token}})
			if rejected, ok := errors.AsType[rejectedHandshake](err); !ok || rejected.status != 401 {
				fail("the handshake is not rejected with 401: %v", err)
			}
		}
	}},
	{"an expired token is an error, and the connection stays", "Error codes", []need{needSecret}, func(r *run) {
		c := r.open()
		c.rejected("authenticate", object{"token": r.token(unique(), -time.Hour)}, "TOKEN_EXPIRED")
		c.alive()
	}},
	{"a token is renewed on the open connection", "Commands", []need{needSecret}, func(r *run) {
		c, name := r.open(), unique()
		first := c.do("authenticate", object{"token": r.token(name, time.Minute)}, "authenticated").want("user", name)
		again := c.do("authenticate", object{"token": r.token(name, time.Hour)}, "authenticated").want("user", name)
		if first.Payload.number("expires") >= again.Payload.number("expires") {
			fail("a token that lives longer does not move expires: %s, and then %s", first, again)
		}
	}},
	{"a stream has the user of its token", "Streams with a token", []need{needSecret, needRoom(Plain)}, func(r *run) {
		name := unique()
		s := r.stream(url.Values{"channel": {r.channel(Plain)}}, "Authorization", "Bearer "+r.token(name, time.Hour))
		decode([]byte(s.until("connected").data)).want("user", name)
	}},
	{"a stream with an expired token is rejected with 401", "Streams with a token", []need{needSecret, needRoom(Plain)}, func(r *run) {
		query := url.Values{"channel": {r.channel(Plain)}}
		r.problem(r.streamAnswer(query, "Authorization", "Bearer "+r.token(unique(), -time.Hour)), 401, "TOKEN_EXPIRED")
	}},
	{"when their token expires, a connection and a stream end with 4503", "Streams with a token", []need{needSecret, needRoom(Plain)}, func(r *run) {
		c, token := r.open(), r.token(unique(), 2*time.Second)
		expires := c.do("authenticate", object{"token": token}, "authenticated").Payload.number("expires")
		left := time.Until(time.UnixMilli(int64(expires)))
		patience := r.patience(left+20*time.Second, "so long the server takes a token that has expired, and then up to 15s")
		s := r.stream(url.Values{"channel": {r.channel(Plain)}}, "Authorization", "Bearer "+token)
		s.timer.Reset(patience)
		c.timeout = patience
		c.wantClose(4503)
		ended(s, 4503, true)
	}},
	{"a key belongs to the user who sends it", "Send a message again", []need{needSecret, needRoom(History)}, func(r *run) {
		channel, name := r.channel(History), unique()
		message := object{"channel": channel, "content": 1, "key": "short"}
		r.user(name).do("message", message, "ack").without("duplicate")
		r.user(unique()).do("message", message, "ack").without("duplicate")
		r.user(name).do("message", message, "ack").want("duplicate", true)
	}},
	{"a message to a user reaches all connections of the user, or the one that is named", "Messages to one member",
		[]need{needSecret, needRoom(Presence)}, func(r *run) {
			channel, name := r.channel(Presence), unique()
			a, b, c := entered(r, channel), r.user(name), r.user(name)
			b.subscribe(channel)
			c.subscribe(channel)
			a.do("message", object{"channel": channel, "content": "all", "to": object{"user": name}}, "ack")
			a.do("message", object{"channel": channel, "content": "one", "to": object{"user": name, "connection": c.id()}}, "ack")
			a.publish(channel, "end")
			b.wantMessages("all", "end")
			c.wantMessages("all", "one", "end")
		}},
	{"a user and a connection are never mixed up", "Messages to one member", []need{needSecret, needRoom(Presence)}, func(r *run) {
		channel, name := r.channel(Presence), unique()
		a, b := entered(r, channel), r.user(name)
		b.subscribe(channel)
		for _, to := range []object{{"user": a.id()}, {"connection": name}, {"connection": b.id()}} {
			a.ask("message", object{"channel": channel, "content": "mixed up", "to": to})
		}
		a.publish(channel, "end")
		for _, c := range []*client{a, b} {
			c.wantMessages("end")
		}
	}},
	{"a user who leaves the page with 1001 and is back at once has not left", "Presence", []need{needSecret, needRoom(Presence)}, func(r *run) {
		channel, name := r.channel(Presence), unique()
		a, b := entered(r, channel), r.user(name)
		b.subscribe(channel)
		a.until("presence", "the user's entry", func(e envelope) bool { return names(e, "entered", name) || names(e, "users", name) })
		b.must(b.write(opClose, []byte{1001 >> 8, 1001 & 0xff}))
		b.wantClose(1001)
		c := r.user(name)
		c.subscribe(channel)
		c.publish(channel, "back")
		for {
			e := a.next()
			if names(e, "left", name) || e.has("users") && !names(e, "users", name) {
				fail("the others see the user leave: %s", e)
			} else if e.Type == "message" {
				return
			}
		}
	}},
	{"a stream's member is changed by its own user alone", "Presence over a stream", []need{needSecret, needRoom(Presence)}, func(r *run) {
		name := unique()
		m := r.streamMember("Authorization", "Bearer "+r.token(name, time.Hour))
		update := object{"secret": m.secret, "status": "away"}
		r.problem(m.update(update), 403, "FORBIDDEN")
		r.problem(m.update(update, "Authorization", "Bearer "+r.token(unique(), time.Hour)), 403, "FORBIDDEN")
		m.updated(update, "Authorization", "Bearer "+r.token(name, time.Hour))
	}},
}

// wantMessages reads messages with these contents, and nothing else of that type between them.
func (c *client) wantMessages(contents ...any) {
	for _, content := range contents {
		c.until("message", "a message", func(envelope) bool { return true }).want("content", content)
	}
}

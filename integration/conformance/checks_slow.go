package conformance

import (
	"errors"
	"net"
	"strings"
)

// flood is more than the network and the server together hold back for a client that does not
// read: messages of 16 KiB.
const flood = 1000

var slowChecks = []Check{
	{"a client that reads too slowly knows what it missed", "Close codes", []need{needRoom(History)}, func(r *run) {
		channel := r.channel(History)
		c := r.sleeper()
		at := c.subscribe(channel).Payload
		epoch := at["epoch"]
		r.flood(channel, object{})
		next := at.number("offset") + 1
		for seen := 0; seen < flood; {
			text, err := c.message()
			if end, ok := errors.AsType[closed](err); ok && end.Code == 4500 {
				r.comeBack(channel, at, next)
				return
			} else if err != nil {
				fail("a client that had not read was closed otherwise than with 4500: %v", err)
			}
			e := decode(text)
			switch e.Type {
			case "gap":
				e.Payload.number("offset")
				return
			case "message":
				if e.Payload.number("offset") != next {
					fail("a hole without a gap: %s, want the offset %v", e, next)
				}
				at, next, seen = e.Payload, next+1, seen+1
				at["epoch"] = epoch
			}
		}
		panic(absence("the server holds 16 MiB back for a client that does not read"))
	}},
	{"a slow reader misses volatile messages, without a gap and without a close", "Volatile messages", []need{needRoom(History)}, func(r *run) {
		channel := r.channel(History)
		c := r.sleeper()
		c.subscribe(channel)
		r.flood(channel, object{"volatile": true})
		r.open().publish(channel, "end")
		for last := -1.0; ; {
			e := c.next()
			if e.Type == "gap" {
				fail("volatile messages were missed with %s", e)
			}
			if e.Payload["content"] == "end" {
				return
			}
			if tags, ok := e.Payload["tags"].(map[string]any); ok {
				if n := object(tags).number("n"); n <= last {
					fail("the volatile message %v came after %v", n, last)
				} else {
					last = n
				}
			}
		}
	}},
	{"volatile messages of one client stay in order", "Volatile messages", []need{needRoom(History)}, func(r *run) {
		a, b, channel := r.open(), r.open(), r.channel(History)
		b.subscribe(channel)
		for n := range 15 {
			a.tell("message", object{"channel": channel, "content": n, "volatile": true})
		}
		for last := -1.0; last < 14; {
			n := b.expect("message").without("offset").Payload.number("content")
			if n <= last {
				fail("the volatile message %v came after %v", n, last)
			}
			last = n
		}
	}},
	{"a volatile message needs the permission to publish", "Volatile messages", []need{needRoom(Closed)}, func(r *run) {
		e := r.open().ask("message", object{"channel": r.channel(Closed), "content": 1, "volatile": true})
		if code := e.Payload["code"]; e.Type != "error" || code != "FORBIDDEN" && code != "UNAUTHORIZED" {
			fail("a volatile message in a closed channel was answered with %s", e)
		}
	}},
	{"the schema holds for every kind of message", "Volatile messages", []need{needRoom(Schema)}, func(r *run) {
		c, channel := r.open(), r.channel(Schema)
		c.do("message", object{"channel": channel, "content": object{}}, "ack")
		for _, volatile := range []bool{false, true} {
			c.rejected("message", object{"channel": channel, "content": 1, "volatile": volatile}, "SCHEMA_VIOLATION")
		}
	}},
}

// sleeper opens a connection that takes little from the network while the check does not read.
func (r *run) sleeper() *client {
	c := r.open()
	conn := c.conn
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = wrapped.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(32 << 10)
	}
	return c
}

// flood publishes what a client that does not read cannot have all at once. fields come with
// each message.
func (r *run) flood(channel string, fields object) {
	p, content := r.open(), strings.Repeat("x", 16<<10)
	for n := range flood {
		m := object{"channel": channel, "content": content, "tags": object{"n": n}}
		for name, value := range fields {
			m[name] = value
		}
		if p.tell("message", m); n%20 == 19 {
			p.alive()
		}
	}
}

// comeBack recovers after a close with 4500: either with all messages from the position on, or
// with the answer that some are lost.
func (r *run) comeBack(channel string, at object, next float64) {
	e := r.open().do("subscribe", object{"channel": channel, "recover": at.position()}, "subscribed")
	if e.Payload["recovered"] == false {
		return
	}
	e.want("recovered", true)
	for _, m := range e.list("messages") {
		if m.number("offset") != next {
			fail("a hole in what recovery brings: the offset %v, want %v", m.number("offset"), next)
		}
		next++
	}
	if e.Payload.number("offset") != next-1 {
		fail("recovery ends before the position of %s", e)
	}
}

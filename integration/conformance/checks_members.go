package conformance

import (
	"slices"
	"strings"
)

var directChecks = []Check{
	{"a message to one member reaches that member alone", "Messages to one member", []need{needRoom(Presence)}, func(r *run) {
		channel := r.channel(Presence)
		a, b, c := entered(r, channel), entered(r, channel), entered(r, channel)
		a.do("message", object{"channel": channel, "content": "for b", "to": object{"connection": b.id()}}, "ack").without("offset")
		b.until("message", "the message", func(envelope) bool { return true }).
			want("content", "for b", "to", object{"connection": b.id()}, "from", object{"connection": a.id()}).without("offset", "anchor")
		a.publish(channel, "for all")
		c.until("message", "a message", func(envelope) bool { return true }).want("content", "for all")
	}},
	{"from is where an answer goes", "Messages to one member", []need{needRoom(Presence)}, func(r *run) {
		channel := r.channel(Presence)
		a, b := entered(r, channel), entered(r, channel)
		a.do("message", object{"channel": channel, "content": "question", "to": object{"connection": b.id()}}, "ack")
		e := b.until("message", "the question", func(envelope) bool { return true })
		b.do("message", object{"channel": channel, "content": "answer", "to": e.Payload["from"]}, "ack")
		a.until("message", "the answer", func(envelope) bool { return true }).want("content", "answer")
	}},
	{"a member that is not there is an error", "Messages to one member", []need{needRoom(Presence)}, func(r *run) {
		channel := r.channel(Presence)
		entered(r, channel).rejected("message", object{"channel": channel, "content": 1, "to": object{"connection": unique()}}, "NOT_PRESENT")
	}},
	{"unknown fields of to are an error", "Messages to one member", []need{needRoom(Presence)}, func(r *run) {
		channel := r.channel(Presence)
		c := entered(r, channel)
		c.rejected("message", object{"channel": channel, "content": 1, "to": object{"connection": c.id(), "x": 1}}, "INVALID_MESSAGE")
	}},
}

// entered opens a connection that is a member, and reads the snapshot.
func entered(r *run, channel string) *client {
	c := r.open()
	c.subscribe(channel)
	snapshot(c)
	return c
}

func snapshot(c *client) envelope {
	return c.until("presence", "a snapshot of the members", func(e envelope) bool { return e.has("users") })
}

// names reports whether a list of ids in a frame has an id.
func names(e envelope, list, id string) bool {
	ids, _ := e.Payload[list].([]any)
	return slices.Contains(ids, any(id))
}

var presenceChecks = []Check{
	{"a snapshot follows subscribed, with the client itself", "Presence", []need{needRoom(Presence)}, func(r *run) {
		c, channel := r.open(), r.channel(Presence)
		c.subscribe(channel)
		e := c.expect("presence").want("channel", channel, "count", 1, "users", []string{c.id()})
		e.Payload.number("seq")
	}},
	{"who enters and leaves is announced", "Presence", []need{needRoom(Presence)}, func(r *run) {
		channel := r.channel(Presence)
		a, b := entered(r, channel), entered(r, channel)
		before := a.until("presence", "b's entry", func(e envelope) bool { return names(e, "entered", b.id()) || names(e, "users", b.id()) }).want("count", 2)
		b.do("unsubscribe", object{"channel": channel}, "unsubscribed")
		after := a.until("presence", "b's leaving", func(e envelope) bool {
			return names(e, "left", b.id()) || e.has("users") && !names(e, "users", b.id())
		}).want("count", 1)
		if after.Payload.number("seq") <= before.Payload.number("seq") {
			fail("seq does not go up: %s, and then %s", before, after)
		}
	}},
	{"who closes with 1000 leaves at once", "Presence", []need{needRoom(Presence)}, func(r *run) {
		channel := r.channel(Presence)
		a, b := entered(r, channel), entered(r, channel)
		a.until("presence", "b's entry", func(e envelope) bool { return names(e, "entered", b.id()) || names(e, "users", b.id()) })
		if err := b.write(opClose, []byte{1000 >> 8, 1000 & 0xff}); err != nil {
			fail("could not send: %v", err)
		}
		b.wantClose(1000)
		a.until("presence", "b's leaving", func(e envelope) bool {
			return names(e, "left", b.id()) || e.has("users") && !names(e, "users", b.id())
		})
	}},
	{"status and info are set with subscribe, and updated later", "Presence", []need{needRoom(Presence)}, func(r *run) {
		channel := r.channel(Presence)
		a, b := entered(r, channel), r.open()
		b.do("subscribe", object{"channel": channel, "status": "away", "info": object{"name": "Bob"}}, "subscribed")
		told := func(e envelope) any { info, _ := e.Payload["info"].(map[string]any); return info[b.id()] }
		e := a.until("presence", "b's entry", func(e envelope) bool { return told(e) != nil })
		e.want("info", object{b.id(): object{"status": "away", "name": "Bob"}})
		b.do("presence", object{"channel": channel, "status": "busy"}, "ack")
		a.until("presence", "b's new status", func(e envelope) bool {
			info, _ := told(e).(map[string]any)
			return info["status"] == "busy"
		})
	}},
	{"presence without a status returns the snapshot", "Commands", []need{needRoom(Presence)}, func(r *run) {
		channel := r.channel(Presence)
		c := entered(r, channel)
		c.do("presence", object{"channel": channel}, "presence").want("count", 1, "users", []string{c.id()})
	}},
	{"a page of the members repeats its after", "Presence", []need{needRoom(Presence)}, func(r *run) {
		channel := r.channel(Presence)
		a, b := entered(r, channel), entered(r, channel)
		first, last := min(a.id(), b.id()), max(a.id(), b.id())
		a.until("presence", "b's entry", func(e envelope) bool { return names(e, "entered", b.id()) || names(e, "users", b.id()) })
		a.do("presence", object{"channel": channel, "after": first}, "presence").want("after", first, "users", []string{last}, "count", 2)
	}},
	{"status and info are bounded", "Presence", []need{needRoom(Presence)}, func(r *run) {
		channel := r.channel(Presence)
		c := entered(r, channel)
		c.rejected("presence", object{"channel": channel, "status": strings.Repeat("x", 33)}, "INVALID_MESSAGE")
		e := c.ask("presence", object{"channel": channel, "info": object{"x": strings.Repeat("x", 1024)}})
		if e.Type != "error" {
			fail("an info of more than 1024 bytes was answered with %s", e)
		}
	}},
}

package conformance

import (
	"strings"
	"time"
)

var subscribeChecks = []Check{
	{"a second subscribe is an error and changes nothing", "Commands", []need{needRoom(Plain)}, func(r *run) {
		c, channel := r.open(), r.channel(Plain)
		c.subscribe(channel)
		c.rejected("subscribe", object{"channel": channel}, "ALREADY_SUBSCRIBED")
		r.open().publish(channel, "still here")
		c.expect("message").want("content", "still here")
	}},
	{"after unsubscribed nothing of the channel arrives", "Commands", []need{needRoom(Plain)}, func(r *run) {
		c, channel := r.open(), r.channel(Plain)
		c.subscribe(channel)
		c.do("unsubscribe", object{"channel": channel}, "unsubscribed").want("channel", channel)
		r.open().publish(channel, "for others")
		c.silent("the client has unsubscribed")
	}},
	{"unsubscribe without a subscription is an error", "Error codes", []need{needRoom(Plain)}, func(r *run) {
		r.open().rejected("unsubscribe", object{"channel": r.channel(Plain)}, "NOT_SUBSCRIBED")
	}},
	{"bad names of channels are errors", "Error codes", nil, func(r *run) {
		c := r.open()
		for _, name := range []string{"", ".", "..", " a", "a\n", "a*", strings.Repeat("x", 256)} {
			c.rejected("subscribe", object{"channel": name}, "INVALID_CHANNEL")
		}
	}},
	{"a channel that no room opens is forbidden", "Error codes", []need{needRoom(Closed)}, func(r *run) {
		c, channel := r.open(), r.channel(Closed)
		for _, kind := range []string{"subscribe", "message"} {
			e := c.ask(kind, object{"channel": channel, "content": 1})
			if code := e.Payload["code"]; e.Type != "error" || code != "FORBIDDEN" && code != "UNAUTHORIZED" {
				fail("%s in a closed channel was answered with %s", kind, e)
			}
		}
		c.alive()
	}},
}

var messageChecks = []Check{
	{"a message reaches every subscriber, its sender too", "Events", []need{needRoom(Plain)}, func(r *run) {
		a, b, channel := r.open(), r.open(), r.channel(Plain)
		a.subscribe(channel)
		b.subscribe(channel)
		content := object{"text": "ü \u2028 😀", "n": 1.5, "none": nil, "list": []any{true, "x"}}
		a.do("message", object{"channel": channel, "content": content, "event": "said", "tags": object{"a": 1, "b": "x", "c": true}}, "ack")
		for _, c := range []*client{a, b} {
			c.expect("message").want("channel", channel, "content", content, "event", "said", "sender", a.id(),
				"tags", object{"a": 1, "b": "x", "c": true})
		}
	}},
	{"messages of one connection arrive in order and once", "Events", []need{needRoom(Plain)}, func(r *run) {
		a, b, channel := r.open(), r.open(), r.channel(Plain)
		b.subscribe(channel)
		for n := range 15 {
			a.tell("message", object{"channel": channel, "content": n})
		}
		for n := range 15 {
			b.expect("message").want("content", n)
		}
		a.alive()
		b.silent("all messages are there")
	}},
	{"a message without an id gets no ack", "Frames", []need{needRoom(Plain)}, func(r *run) {
		c := r.open()
		c.tell("message", object{"channel": r.channel(Plain), "content": 1})
		c.silent("the message had no id")
	}},
	{"a room without history has no positions", "Events", []need{needRoom(Plain)}, func(r *run) {
		c, channel := r.open(), r.channel(Plain)
		c.subscribe(channel).without("epoch", "offset", "anchor")
		c.publish(channel, 1).without("epoch", "offset", "anchor")
		c.expect("message").without("epoch", "offset", "anchor")
	}},
	{"a message needs its content", "Commands", []need{needRoom(Plain)}, func(r *run) {
		r.open().rejected("message", object{"channel": r.channel(Plain)}, "INVALID_MESSAGE")
	}},
	{"tags are bounded: 16, and no lists", "Tags and filters", []need{needRoom(Plain)}, func(r *run) {
		c, channel, many := r.open(), r.channel(Plain), object{}
		for _, name := range strings.Split("abcdefghijklmnopq", "") {
			many[name] = 1
		}
		for _, tags := range []object{many, {"a": []int{1}}, {"a": strings.Repeat("x", 256)}, {strings.Repeat("x", 65): 1}} {
			c.rejected("message", object{"channel": channel, "content": 1, "tags": tags}, "INVALID_MESSAGE")
		}
	}},
	{"a repeat with the same key is published once", "Send a message again", []need{needRoom(History)}, func(r *run) {
		a, b, channel := r.open(), r.open(), r.channel(History)
		b.subscribe(channel)
		again := object{"channel": channel, "content": "once", "key": unique() + "-key"}
		first := a.do("message", again, "ack").without("duplicate")
		a.do("message", again, "ack").want("duplicate", true, "offset", first.Payload["offset"])
		a.publish(channel, "after")
		b.expect("message").want("content", "once")
		b.expect("message").want("content", "after")
	}},
	{"a repeat after a reconnect is published once", "Send a message again", []need{needRoom(History)}, func(r *run) {
		channel := r.channel(History)
		again := object{"channel": channel, "content": "once", "key": unique() + "-key"}
		first := r.open().do("message", again, "ack")
		r.open().do("message", again, "ack").want("duplicate", true, "offset", first.Payload["offset"])
	}},
	{"another message with the same key is rejected", "Send a message again", []need{needRoom(History)}, func(r *run) {
		c, channel, key := r.open(), r.channel(History), unique()+"-key"
		c.do("message", object{"channel": channel, "content": 1, "key": key}, "ack")
		c.rejected("message", object{"channel": channel, "content": 2, "key": key}, "CONFLICT")
	}},
	{"a key is 1 to 64 bytes of printable ASCII", "Send a message again", []need{needRoom(Plain)}, func(r *run) {
		c, channel := r.open(), r.channel(Plain)
		for _, key := range []string{"ü", "a\n", strings.Repeat("x", 65)} {
			c.rejected("message", object{"channel": channel, "content": 1, "key": key}, "INVALID_MESSAGE")
		}
	}},
	{"a message after a rejected one is rejected, too", "Several messages at once", []need{needRoom(Limited)}, func(r *run) {
		c, channel := r.open(), r.channel(Limited)
		limited := func(more object) bool {
			more["channel"], more["content"] = channel, 1
			e := c.ask("message", more)
			if e.Type == "ack" {
				return false
			}
			if e.Payload["code"] != "RATE_LIMITED" {
				fail("message was answered with %s", e)
			}
			// The channel takes messages again, and the next one is judged by the one before it alone.
			time.Sleep(time.Duration(e.Payload.number("retryAfter")) * time.Millisecond)
			return true
		}
		for n := 0; !limited(object{}); n++ {
			if n == 1000 {
				fail("the channel took 1000 messages at once")
			}
		}
		if !limited(object{"after": true}) {
			fail("a message with after was accepted, though the server had rejected the one before with RATE_LIMITED")
		}
		if limited(object{}) {
			fail("a message without after was rejected, though the channel took messages again")
		}
	}},
	{"a call is answered by the app", "Commands", []need{needCall}, func(r *run) {
		if e := r.open().do("call", object{"method": r.target.Method}, "result"); !e.has("result") {
			fail("%s has no result", e)
		}
	}},
}

var volatileChecks = []Check{
	{"a volatile message has no ack and no position", "Volatile messages", []need{needRoom(History)}, func(r *run) {
		a, b, channel := r.open(), r.open(), r.channel(History)
		b.subscribe(channel)
		a.tell("message", object{"channel": channel, "content": "here", "volatile": true})
		a.silent("a volatile message without an id")
		b.expect("message").want("content", "here").without("offset", "anchor")
	}},
	{"a volatile message is not in the history", "Volatile messages", []need{needRoom(History)}, func(r *run) {
		c, channel := r.open(), r.channel(History)
		c.tell("message", object{"channel": channel, "content": "gone", "volatile": true})
		c.publish(channel, "kept")
		for _, m := range c.do("history", object{"channel": channel}, "history").list("messages") {
			if m["content"] == "gone" {
				fail("the history has the volatile message")
			}
		}
	}},
	{"a volatile message has no key", "Volatile messages", []need{needRoom(Plain)}, func(r *run) {
		r.open().rejected("message", object{"channel": r.channel(Plain), "content": 1, "volatile": true, "key": "a-key"}, "INVALID_MESSAGE")
	}},
}

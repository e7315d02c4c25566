package conformance

import (
	"fmt"
	"strings"
)

var historyChecks = []Check{
	{"offsets go up by one, and the ack has them", "Events", []need{needRoom(History)}, func(r *run) {
		a, b, channel := r.open(), r.open(), r.channel(History)
		at := b.subscribe(channel).Payload.number("offset")
		for n := range 5 {
			ack := a.publish(channel, n).want("offset", at+1+float64(n))
			m := b.expect("message").want("offset", ack.Payload["offset"], "anchor", ack.Payload["anchor"])
			if m.Timestamp == 0 {
				fail("%s has no time", m)
			}
		}
	}},
	{"history has the newest messages, oldest first", "Commands", []need{needRoom(History)}, func(r *run) {
		c, channel, acks := filled(r, 5)
		h := c.do("history", object{"channel": channel, "limit": 3}, "history").want("channel", channel,
			"epoch", acks[4]["epoch"], "offset", acks[4]["offset"])
		contents(h, 2, 3, 4)
	}},
	{"history since a position has what comes after it", "Commands", []need{needRoom(History)}, func(r *run) {
		c, channel, acks := filled(r, 5)
		contents(c.do("history", object{"channel": channel, "since": acks[1].position()}, "history").without("lost", "more"), 2, 3, 4)
		contents(c.do("history", object{"channel": channel, "since": acks[1].position(), "limit": 2}, "history").want("more", true), 2, 3)
	}},
	{"history since another epoch says that messages are lost", "Commands", []need{needRoom(History)}, func(r *run) {
		c, channel, acks := filled(r, 2)
		since := acks[0].position()
		since["epoch"] = "another"
		c.do("history", object{"channel": channel, "since": since}, "history").want("lost", true)
	}},
	{"subscribe with history brings the newest messages", "Commands", []need{needRoom(History)}, func(r *run) {
		_, channel, _ := filled(r, 5)
		contents(r.open().do("subscribe", object{"channel": channel, "history": 2}, "subscribed"), 3, 4)
	}},
	{"recover brings all missed messages, and then the live ones", "Recovering", []need{needRoom(History)}, func(r *run) {
		publisher, channel, acks := filled(r, 5)
		c := r.open()
		e := c.do("subscribe", object{"channel": channel, "recover": acks[1].position()}, "subscribed").want("recovered", true)
		contents(e, 2, 3, 4)
		publisher.publish(channel, "live")
		c.expect("message").want("content", "live", "offset", acks[4].number("offset")+1)
	}},
	{"recover with nothing missed has no messages", "Recovering", []need{needRoom(History)}, func(r *run) {
		_, channel, acks := filled(r, 2)
		e := r.open().do("subscribe", object{"channel": channel, "recover": acks[1].position()}, "subscribed").want("recovered", true)
		contents(e)
	}},
	{"recover in another epoch is not recovered", "Recovering", []need{needRoom(History)}, func(r *run) {
		_, channel, acks := filled(r, 2)
		at := acks[0].position()
		at["epoch"] = "another"
		r.open().do("subscribe", object{"channel": channel, "recover": at}, "subscribed").
			want("recovered", false, "offset", acks[1]["offset"], "epoch", acks[1]["epoch"])
	}},
	{"recover with another message's anchor is not recovered", "Recovering", []need{needRoom(History)}, func(r *run) {
		_, channel, acks := filled(r, 2)
		at := acks[0].position()
		at["anchor"] = strings.Map(func(c rune) rune { // each digit another one
			if c == '1' {
				return '2'
			}
			return '1'
		}, fmt.Sprint(at["anchor"]))
		r.open().do("subscribe", object{"channel": channel, "recover": at}, "subscribed").want("recovered", false)
	}},
	{"a bad position is an error", "Commands", []need{needRoom(History)}, func(r *run) {
		r.open().rejected("subscribe", object{"channel": r.channel(History), "recover": object{"epoch": 1, "offset": "x"}}, "INVALID_MESSAGE")
	}},
}

// filled publishes the contents 0 to n-1 in a room with history, and returns the acks.
func filled(r *run, n int) (c *client, channel string, acks []object) {
	c, channel = r.open(), r.channel(History)
	for i := range n {
		acks = append(acks, c.publish(channel, i).Payload)
	}
	return c, channel, acks
}

// contents checks the contents of the messages in a reply.
func contents(e envelope, want ...any) {
	got := e.list("messages")
	if len(got) != len(want) {
		fail("%s has %d messages, not %d", e, len(got), len(want))
	}
	for i, m := range got {
		if field, ok := m.differs("content", want[i]); !ok {
			fail("message %d of %s does not have %s", i, e, field)
		}
	}
}

var filterChecks = []Check{
	{"a filter chooses among the messages", "Tags and filters", []need{needRoom(Plain)}, func(r *run) {
		a, b, channel := r.open(), r.open(), r.channel(Plain)
		b.do("subscribe", object{"channel": channel, "filter": `tags.team == "red" && tags.total > 100`}, "subscribed")
		for n, tags := range []object{{"team": "red", "total": 5}, {"team": "blue", "total": 500}, {"total": 500}, {"team": "red", "total": 101}} {
			a.do("message", object{"channel": channel, "content": n, "tags": tags}, "ack")
		}
		b.expect("message").want("content", 3)
	}},
	{"a filter that is not valid is an error", "Tags and filters", []need{needRoom(Plain)}, func(r *run) {
		c, channel := r.open(), r.channel(Plain)
		for _, filter := range []string{"tags.team ==", "1 + 1", `"` + strings.Repeat("x", 1024) + `" == event`} {
			c.rejected("subscribe", object{"channel": channel, "filter": filter}, "INVALID_MESSAGE")
		}
	}},
	{"another subscribe replaces the filter", "Tags and filters", []need{needRoom(History)}, func(r *run) {
		a, b, channel := r.open(), r.open(), r.channel(History)
		b.do("subscribe", object{"channel": channel, "filter": `event == "no"`}, "subscribed")
		a.publish(channel, "before")
		b.do("subscribe", object{"channel": channel, "filter": ""}, "subscribed").want("replaced", true).without("offset")
		a.publish(channel, "after")
		b.until("message", "the message after the new filter", func(e envelope) bool { return true }).want("content", "after")
	}},
	{"the command history has what the filter holds back", "Tags and filters", []need{needRoom(History)}, func(r *run) {
		a, channel, _ := filled(r, 2)
		a.do("subscribe", object{"channel": channel, "filter": `event == "no"`}, "subscribed")
		contents(a.do("history", object{"channel": channel}, "history"), 0, 1)
	}},
	{"recover passes the filter", "Tags and filters", []need{needRoom(History)}, func(r *run) {
		_, channel, acks := filled(r, 4)
		e := r.open().do("subscribe", object{"channel": channel, "recover": acks[0].position(), "filter": "content == 2"}, "subscribed")
		contents(e.want("recovered", true), 2)
	}},
}

var patternChecks = []Check{
	{"a pattern brings the messages of its channels, with their names", "Patterns", []need{needRoom(Pattern)}, func(r *run) {
		c, pattern, channel := r.open(), r.target.Rooms[Pattern], r.channel(Pattern)
		c.do("subscribe", object{"pattern": pattern}, "subscribed").want("pattern", pattern).without("offset")
		r.open().publish(channel, unique())
		c.until("message", "the message", func(e envelope) bool { return e.Payload["channel"] == channel }).without("offset")
		c.do("unsubscribe", object{"pattern": pattern}, "unsubscribed").want("pattern", pattern)
	}},
	{"a pattern has no history and no recovery", "Patterns", []need{needRoom(Pattern)}, func(r *run) {
		c, pattern := r.open(), r.target.Rooms[Pattern]
		c.rejected("subscribe", object{"pattern": pattern, "history": 5}, "INVALID_MESSAGE")
		c.rejected("subscribe", object{"pattern": pattern, "recover": object{"epoch": "x", "offset": 1}}, "INVALID_MESSAGE")
	}},
	{"a pattern without a * is an error", "Patterns", []need{needRoom(Pattern)}, func(r *run) {
		r.open().rejected("subscribe", object{"pattern": r.channel(Pattern)}, "INVALID_CHANNEL")
	}},
	{"a pattern that is not allowed is forbidden", "Patterns", []need{needRoom(Plain)}, func(r *run) {
		name, _, _ := strings.Cut(r.target.Rooms[Plain], ":")
		e := r.open().ask("subscribe", object{"pattern": name + ":*"})
		if e.Type != "error" || e.Payload["code"] != "FORBIDDEN" {
			fail("the pattern is answered with %s", e)
		}
	}},
}

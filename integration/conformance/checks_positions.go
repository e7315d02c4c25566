package conformance

import (
	"net/url"
	"time"
)

// positionChecks are about what a client learns of messages that do not pass its filter.
var positionChecks = []Check{
	{"position is where recovery begins when messages did not pass", "Tags and filters", []need{needRoom(History)}, func(r *run) {
		a, b, channel := r.open(), r.open(), r.channel(History)
		b.hold(channel)
		ack := a.publish(channel, "held back").Payload
		b.timeout = r.beat(b.connected)
		p := b.expect("position").want("channel", channel, "epoch", ack["epoch"], "offset", ack["offset"], "anchor", ack["anchor"])
		a.publish(channel, "missed")
		e := r.open().do("subscribe", object{"channel": channel, "recover": p.Payload.position()}, "subscribed")
		contents(e.want("recovered", true), "missed")
	}},
	{"a volatile message does not take the place of position", "Tags and filters", []need{needRoom(History)}, func(r *run) {
		a, b, channel := r.open(), r.open(), r.channel(History)
		b.hold(channel)
		offset := a.publish(channel, "held back").Payload["offset"]
		a.tell("message", object{"channel": channel, "event": "yes", "content": "passes", "volatile": true})
		b.timeout = r.beat(b.connected)
		b.until("position", "the position", func(envelope) bool { return true }).want("offset", offset)
	}},
	{"position comes once a second at most, and with a heartbeat", "Tags and filters", []need{needRoom(History)}, func(r *run) {
		a, b, channel := r.open(), r.open(), r.channel(History)
		b.hold(channel)
		many := func() {
			for n := range 100 {
				a.tell("message", object{"channel": channel, "content": n})
			}
			a.alive()
			b.alive()
		}
		for end := time.Now().Add(r.beat(b.connected)); len(b.passed) == 0; many() {
			if time.Now().After(end) {
				fail("no position came for messages that did not pass")
			}
		}
		many()
		for _, e := range b.passed {
			if e.Type != "position" {
				fail("no message passes, but %s came", e)
			}
		}
		first, last := b.passed[0], b.passed[len(b.passed)-1]
		seconds := time.Duration(last.Timestamp-first.Timestamp) * time.Millisecond / time.Second
		if n := len(b.passed); n > 1+int(seconds)+b.pings {
			fail("%d frames position came within %d seconds and with %d heartbeats", n, seconds, b.pings)
		}
	}},
	{"on a stream a bare id takes the place of position", "Event streams", []need{needRoom(History)}, func(r *run) {
		channel := r.channel(History)
		s, c := r.stream(url.Values{"channel": {channel}, "filter": {`event == "yes"`}}), r.open()
		s.timer.Reset(r.beat(decode([]byte(s.until("connected").data))))
		s.until("subscribed")
		c.publish(channel, "held back")
		last := s.bareID()
		c.publish(channel, "missed")
		again := r.stream(url.Values{"channel": {channel}}, "Last-Event-ID", last)
		decode([]byte(again.until("").data)).want("content", "missed")
	}},
	{"the server sends heartbeats as comments on an event stream", "Liveness", []need{needRoom(Plain)}, func(r *run) {
		s := r.stream(url.Values{"channel": {r.channel(Plain)}})
		s.timer.Reset(r.beat(decode([]byte(s.until("connected").data))))
		s.comment()
	}},
}

// hold subscribes with a filter that only a message with the event yes passes.
func (c *client) hold(channel string) {
	c.do("subscribe", object{"channel": channel, "filter": `event == "yes"`}, "subscribed")
}

// beat returns how long a check waits for a heartbeat.
func (r *run) beat(connected envelope) time.Duration {
	every := heartbeat(connected)
	return r.patience(every*3/2, "the server's heartbeat is "+every.String())
}

package conformance

import (
	"net/url"
	"strings"
)

var streamChecks = []Check{
	{"a stream begins with connected and subscribed", "Event streams", []need{needRoom(Plain)}, func(r *run) {
		s, channel := r.stream(url.Values{"channel": {r.channel(Plain)}}), ""
		e := s.next()
		if e.name != "connected" {
			fail("the first event is %q", e)
		}
		decode([]byte(e.data)).want("version", 1)
		e = s.until("subscribed")
		if channel, _ = decode([]byte(e.data)).Payload["channel"].(string); channel == "" {
			fail("%q names no channel", e)
		}
	}},
	{"a message without a name has no event line, one with a name has it", "Event streams", []need{needRoom(Plain)}, func(r *run) {
		channel := r.channel(Plain)
		s, c := r.stream(url.Values{"channel": {channel}}), r.open()
		s.until("subscribed")
		c.publish(channel, "plain")
		decode([]byte(s.until("").data)).want("content", "plain", "channel", channel)
		c.do("message", object{"channel": channel, "content": 1, "event": "said"}, "ack")
		decode([]byte(s.until("said").data)).want("content", 1)
	}},
	{"a stream resumes after its last id", "Event streams", []need{needRoom(History)}, func(r *run) {
		channel := r.channel(History)
		s, c := r.stream(url.Values{"channel": {channel}}), r.open()
		s.until("subscribed")
		c.publish(channel, "seen")
		last := s.until("").id
		c.publish(channel, "missed")
		for _, again := range []*stream{
			r.stream(url.Values{"channel": {channel}}, "Last-Event-ID", last),
			r.stream(url.Values{"channel": {channel}, "lastEventID": {last}}),
		} {
			decode([]byte(again.until("").data)).want("content", "missed")
		}
	}},
	{"a stream with an id that the server does not know gets a gap", "Event streams", []need{needRoom(History)}, func(r *run) {
		channel := r.channel(History)
		r.open().publish(channel, 1)
		s := r.stream(url.Values{"channel": {channel}}, "Last-Event-ID", "not-an-id-of-this-server")
		decode([]byte(s.until("gap").data)).want("channel", channel)
	}},
	{"a stream may begin with history", "Event streams", []need{needRoom(History)}, func(r *run) {
		_, channel, _ := filled(r, 3)
		s := r.stream(url.Values{"channel": {channel}, "history": {"2"}})
		for _, want := range []int{1, 2} {
			decode([]byte(s.until("").data)).want("content", want)
		}
	}},
	{"format=content has the content alone", "Event streams", []need{needRoom(History)}, func(r *run) {
		channel := r.channel(History)
		r.open().publish(channel, "<p>hi</p>")
		s := r.stream(url.Values{"channel": {channel}, "history": {"1"}, "format": {"content"}})
		if e := s.until(""); e.data != "<p>hi</p>" {
			fail("the data is %q", e.data)
		}
	}},
	{"names of other parts of the protocol are rejected", "Event streams", []need{needRoom(Plain)}, func(r *run) {
		for _, name := range []string{"limit", "channels", "last_event_id"} {
			q := url.Values{"channel": {r.channel(Plain)}, name: {"1"}}
			if a := r.streamAnswer(q); a.StatusCode != 400 || !strings.Contains(a.Header.Get("Content-Type"), "json") {
				fail("a stream with ?%s is answered with %s, %q", name, a.Status, a.Header.Get("Content-Type"))
			}
		}
	}},
	{"a stream without a permitted channel is rejected with 403", "Event streams", []need{needRoom(Closed)}, func(r *run) {
		a := r.streamAnswer(url.Values{"channel": {r.channel(Closed)}})
		if a.StatusCode != 403 && a.StatusCode != 401 {
			fail("the stream is answered with %s", a.Status)
		}
	}},
}

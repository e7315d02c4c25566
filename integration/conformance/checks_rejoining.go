package conformance

import (
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// rejoinChecks are about the address of an event stream, and about streams that come back.
var rejoinChecks = []Check{
	{"the path /sse is a stream without the header Accept", "Event streams", []need{needRoom(Plain)}, func(r *run) {
		s := r.streamOf(r.request("GET", "/sse?"+url.Values{"channel": {r.channel(Plain)}}.Encode(), nil))
		if e := s.next(); e.name != "connected" {
			fail("the first event is %q", e)
		}
	}},
	{"a parameter of a stream with a wrong value is rejected", "Event streams", []need{needRoom(Plain)}, func(r *run) {
		for _, wrong := range []string{"history=1001", "history=some", "format=xml"} {
			q, _ := url.ParseQuery(wrong)
			q.Set("channel", r.channel(Plain))
			r.problem(r.streamAnswer(q), 400, "INVALID_MESSAGE")
		}
		r.problem(r.streamAnswer(url.Values{}), 400, "INVALID_CHANNEL")
	}},
	{"parameters of the site are left alone", "Event streams", []need{needRoom(Plain)}, func(r *run) {
		r.stream(url.Values{"channel": {r.channel(Plain)}, "histroy": {"20"}}).until("subscribed")
	}},
	{"the id of a stream has the position of each of its channels", "Event streams", []need{needRoom(History)}, func(r *run) {
		one, other := r.channel(History), r.channel(History)
		if one == other {
			panic(absence("needs --history with a * at the end"))
		}
		query := url.Values{"channel": {one, other}}
		s, c := r.stream(query), r.open()
		s.until("subscribed")
		s.until("subscribed")
		c.publish(one, "seen")
		last := s.until("").id
		c.publish(other, "missed")
		c.publish(one, "missed, too")
		again := r.stream(query, "Last-Event-ID", last)
		for range 2 {
			e := decode([]byte(again.until("").data))
			if e.Payload["content"] == "seen" || e.Payload["channel"] == one && e.Payload["content"] != "missed, too" {
				fail("a stream that had the first message gets %s", e)
			}
		}
	}},
	{"a resumed stream brings what was missed in place of the history", "Event streams", []need{needRoom(History)}, func(r *run) {
		c, channel, _ := filled(r, 3)
		query := url.Values{"channel": {channel}, "history": {"2"}}
		s := r.stream(query)
		s.until("")
		last := s.until("").id
		c.publish(channel, "missed")
		decode([]byte(r.stream(query, "Last-Event-ID", last).until("").data)).want("content", "missed")
	}},
	{"a stream without any history has the id ~", "Event streams", []need{needRoom(Plain)}, func(r *run) {
		if id := r.stream(url.Values{"channel": {r.channel(Plain)}}).bareID(); id != "~" {
			fail("the id is %q", id)
		}
	}},
	{"a new stream with a channel that is not permitted is rejected", "Event streams", []need{needRoom(Plain), needRoom(Closed)}, func(r *run) {
		a := r.streamAnswer(url.Values{"channel": {r.channel(Plain), r.channel(Closed)}})
		if a.StatusCode != 403 && a.StatusCode != 401 {
			fail("the stream is answered with %s", a.Status)
		}
	}},
	{"a stream that comes back gets the channels that it may have, and unsubscribed for the others", "Event streams",
		[]need{needRoom(Plain), needRoom(Closed)}, func(r *run) {
			plain, closed := r.channel(Plain), r.channel(Closed)
			s := r.stream(url.Values{"channel": {closed, plain}}, "Last-Event-ID", "~")
			e := decode([]byte(s.until("unsubscribed").data)).want("channel", closed)
			if !e.has("code") || !e.has("message") {
				fail("%s does not say why", e)
			}
			decode([]byte(s.until("subscribed").data)).want("channel", plain)
		}},
	{"a stream that comes back and may have no channel is told to come again after half a minute", "Event streams",
		[]need{needRoom(Closed)}, func(r *run) {
			a := r.streamAnswer(url.Values{"channel": {r.channel(Closed)}}, "Last-Event-ID", "~")
			text, _ := io.ReadAll(a.Body) // what came before the end
			wait := 0
			if m := regexp.MustCompile(`(?m)^retry: ?(\d+)$`).FindSubmatch(text); m != nil {
				wait, _ = strconv.Atoi(string(m[1]))
			}
			if a.StatusCode != 200 || wait < 30_000 || strings.Contains(string(text), "data:") {
				fail("the stream is answered with %s and %q, not with a retry line of half a minute alone", a.Status, text)
			}
		}},
}

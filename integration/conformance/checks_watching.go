package conformance

import "net/url"

// watchChecks are about filters and patterns of event streams, and about patterns beside channels.
var watchChecks = []Check{
	{"the filter of a stream holds for each of its channels", "Event streams", []need{needRoom(Plain), needRoom(History)}, func(r *run) {
		plain, kept := r.channel(Plain), r.channel(History)
		s, c := r.stream(url.Values{"channel": {plain, kept}, "filter": {`tags.team == "red"`}}), r.open()
		s.until("subscribed")
		s.until("subscribed")
		for n, channel := range []string{plain, kept, plain, kept} {
			team := []string{"blue", "blue", "red", "red"}[n]
			c.do("message", object{"channel": channel, "content": n, "tags": object{"team": team}}, "ack")
		}
		decode([]byte(s.until("").data)).want("content", 2, "channel", plain)
		decode([]byte(s.until("").data)).want("content", 3, "channel", kept)
	}},
	{"the filter of a stream holds for the history and for what was missed", "Event streams", []need{needRoom(History)}, func(r *run) {
		_, channel, _ := filled(r, 4)
		only := url.Values{"channel": {channel}, "history": {"4"}, "filter": {"content == 1 || content == 3"}}
		s := r.stream(only)
		first := s.until("")
		decode([]byte(first.data)).want("content", 1)
		decode([]byte(s.until("").data)).want("content", 3)
		decode([]byte(r.stream(only, "Last-Event-ID", first.id).until("").data)).want("content", 3)
	}},
	{"a stream with a filter that is not valid is rejected", "Event streams", []need{needRoom(Plain)}, func(r *run) {
		r.problem(r.streamAnswer(url.Values{"channel": {r.channel(Plain)}, "filter": {"tags.team =="}}), 400, "INVALID_MESSAGE")
	}},
	{"a pattern of a stream brings the messages of its channels, with their names", "Event streams", []need{needRoom(Pattern)}, func(r *run) {
		pattern, channel, word := r.target.Rooms[Pattern], r.channel(Pattern), unique()
		s, c := r.stream(url.Values{"pattern": {pattern}, "filter": {`content == "` + word + `"`}}), r.open()
		decode([]byte(s.until("subscribed").data)).want("pattern", pattern).without("channel", "offset")
		c.publish(channel, "does not pass")
		c.publish(channel, word)
		decode([]byte(s.until("").data)).want("content", word, "channel", channel).without("offset", "pattern")
	}},
	{"a stream may have channels beside a pattern", "Event streams", []need{needRoom(Pattern), needRoom(History)}, func(r *run) {
		kept, channel, word := r.channel(History), r.channel(Pattern), unique()
		s, c := r.stream(url.Values{"channel": {kept}, "pattern": {r.target.Rooms[Pattern]}, "filter": {`content == "` + word + `"`}}), r.open()
		s.until("subscribed")
		s.until("subscribed")
		for _, channel := range []string{kept, channel} {
			c.publish(channel, word)
			decode([]byte(s.until("").data)).want("channel", channel)
		}
	}},
	{"a resumed stream gets a gap for its pattern", "Event streams", []need{needRoom(Pattern)}, func(r *run) {
		query := url.Values{"pattern": {r.target.Rooms[Pattern]}}
		id := r.stream(query).bareID()
		decode([]byte(r.stream(query, "Last-Event-ID", id).until("gap").data)).want("pattern", r.target.Rooms[Pattern]).without("channel", "offset")
	}},
	{"a pattern of a stream that is not one is rejected", "Event streams", []need{needRoom(Pattern)}, func(r *run) {
		r.problem(r.streamAnswer(url.Values{"pattern": {r.channel(Pattern)}}), 400, "INVALID_CHANNEL")
		r.problem(r.streamAnswer(url.Values{"channel": {r.target.Rooms[Pattern]}}), 400, "INVALID_CHANNEL")
	}},
	{"who is subscribed to a channel and to a pattern gets each message twice", "Patterns", []need{needRoom(Pattern)}, func(r *run) {
		c, channel, word := r.open(), r.channel(Pattern), unique()
		c.do("subscribe", object{"pattern": r.target.Rooms[Pattern], "filter": `content == "` + word + `"`}, "subscribed")
		c.subscribe(channel)
		r.open().publish(channel, word)
		for range 2 {
			c.expect("message").want("channel", channel, "content", word)
		}
	}},
	{"a slow reader of a pattern gets a gap, and is not closed", "Patterns", []need{needRoom(Pattern)}, func(r *run) {
		c, pattern, channel := r.sleeper(), r.target.Rooms[Pattern], r.channel(Pattern)
		c.do("subscribe", object{"pattern": pattern}, "subscribed")
		r.flood(channel, object{})
		seen := 0
		e := c.next()
		for ; e.Type != "gap"; e = c.next() {
			if e.Payload["channel"] == channel {
				seen++
			}
			if seen == flood {
				panic(absence("the server holds 16 MiB back for a client that does not read"))
			}
		}
		e.want("pattern", pattern).without("channel", "offset")
		c.alive()
	}},
}

package conformance

import "net/url"

var senderChecks = []Check{
	{"a message with the secret of a stream has the stream's connection as its sender", "The sender over a stream", []need{needRoom(Plain)}, func(r *run) {
		channel := r.channel(Plain)
		s := r.stream(url.Values{"channel": {channel}})
		hello := decode([]byte(s.until("connected").data)).Payload
		s.until("subscribed")
		answered(r.httpPublish(channel, object{"secret": hello["secret"], "content": 1}), 200)
		decode([]byte(s.until("").data)).want("content", 1, "sender", hello["connection"]).without("secret")
	}},
	{"a message with a wrong secret is an error", "The sender over a stream", []need{needRoom(Plain)}, func(r *run) {
		r.problem(r.httpPublish(r.channel(Plain), object{"secret": unique(), "content": 1}), 400, "INVALID_MESSAGE")
	}},
	{"a message of the app has no secret", "The sender over a stream", []need{needKey, needRoom(Plain)}, func(r *run) {
		channel := r.channel(Plain)
		s := r.stream(url.Values{"channel": {channel}})
		body := object{"secret": decode([]byte(s.until("connected").data)).Payload["secret"], "content": 1}
		path := "/channels/" + url.PathEscape(channel) + "/messages"
		r.problem(r.request("POST", path, body, "Authorization", "Bearer "+r.target.Key), 403, "FORBIDDEN")
	}},
	{"the sender of two requests without a secret is not the same", "Events", []need{needRoom(Plain)}, func(r *run) {
		c, channel := r.open(), r.channel(Plain)
		c.subscribe(channel)
		senders := make(map[any]bool)
		for range 2 {
			answered(r.httpPublish(channel, object{"content": 1}), 200)
			sender, _ := c.expect("message").Payload["sender"].(string)
			if senders[sender] = true; sender == "" {
				fail("a message of an anonymous client over HTTP has no sender")
			}
		}
		if len(senders) != 2 {
			fail("two requests have the same sender: %v", senders)
		}
	}},
}

package conformance

import (
	"net/http"
	"net/url"
	"strings"
)

var limitChecks = []Check{
	{"too many subscriptions of one connection are an error", "Error codes", []need{needRoom(Plain)}, func(r *run) {
		if !strings.HasSuffix(r.target.Rooms[Plain], "*") {
			panic(absence("needs --plain with a * at the end"))
		}
		c := r.open()
		for range 2000 {
			if e := c.ask("subscribe", object{"channel": r.channel(Plain)}); e.Type == "error" {
				if e.Payload["code"] != "LIMIT_EXCEEDED" {
					fail("a channel too many was answered with %s", e)
				}
				c.alive()
				return
			}
		}
		panic(absence("the server takes 2000 subscriptions of one connection"))
	}},
	{"over HTTP an error has the status of the table", "Error codes", []need{needRoom(Plain)}, func(r *run) {
		channel := r.channel(Plain)
		r.problem(r.httpPublish(channel, `{"content":`), 400, "INVALID_JSON")
		r.problem(r.httpPublish(channel, "{\"content\":\"\xff\"}"), 400, "INVALID_JSON")
		r.problem(r.httpPublish(channel, `{"content":1,"content":2}`), 400, "INVALID_MESSAGE")
		r.problem(r.httpPublish("a*", `{"content":1}`), 400, "INVALID_CHANNEL")
		r.problem(r.httpPublish(channel, object{"content": strings.Repeat("x", maxMessage)}), 413, "TOO_LARGE")
	}},
	{"a key of another message has the status 422 over HTTP", "Error codes", []need{needRoom(History)}, func(r *run) {
		channel, key := r.channel(History), unique()+"-key"
		answered(r.httpPublish(channel, object{"content": 1, "key": key}), 200)
		r.problem(r.httpPublish(channel, object{"content": 2, "key": key}), 422, "CONFLICT")
	}},
}

// httpPublish publishes over HTTP as an anonymous client.
func (r *run) httpPublish(channel string, body any) *http.Response {
	return r.request("POST", "/channels/"+url.PathEscape(channel)+"/messages", body)
}

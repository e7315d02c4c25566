package conformance

import (
	"errors"
	"net/url"
)

// stopChecks end the server, so they come after all others.
var stopChecks = []Check{
	{"a server that stops sends its clients away with 1012 or 1001", "Close codes", []need{needStop, needRoom(Plain)}, func(r *run) {
		c, s := r.open(), r.stream(url.Values{"channel": {r.channel(Plain)}})
		s.until("subscribed")
		if err := r.target.Stop(); err != nil {
			panic(absence("the command of --stop failed: " + err.Error()))
		}
		c.timeout = r.target.Patience
		s.timer.Reset(r.target.Patience)
		advised, err := c.farewell()
		end, ok := errors.AsType[closed](err)
		switch {
		case !ok || end.Code != 1012 && end.Code != 1001:
			fail("waited for a close with 1012 or 1001: %v", err)
		case end.Code == 1012 && !advised:
			fail("a close with 1012 came without a frame reconnect")
		}
		ended(s, int(end.Code), true)
	}},
}

// farewell reads up to the end, and reports whether reconnect came on the way.
func (c *client) farewell() (advised bool, end error) {
	for {
		text, err := c.message()
		if err != nil {
			return advised, err
		}
		advised = advised || decode(text).Type == "reconnect"
	}
}

package api

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// usualFollow is how long a client is followed if the request names no time.
const usualFollow = 10 * time.Minute

// followed is the answer to a follow.
type followed struct {
	// Seconds is how long it lasts from now on; 0 says that it has ended.
	Seconds int64 `json:"seconds"`
}

// follow is POST /follow: the node that answers writes to its log what one user or one
// connection does.
func follow(c *call) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	m, e := c.order("user", "connection", "seconds")
	if e != nil {
		return e
	}
	who, d, e := m.followed()
	if e != nil {
		return e
	}
	if !c.o.Registry.Follow(who, d) {
		return protocol.Errorf(protocol.LimitExceeded, "this node follows as many clients as it may: end another follow with \"seconds\": 0")
	}
	return c.replyValue(followed{int64(min(d, session.MaxFollow) / time.Second)})
}

// followed returns whom a request is about, and for how long.
func (m object) followed() (who session.Followed, d time.Duration, e *protocol.Error) {
	if who.User, e = m.text("user"); e != nil {
		return who, 0, e
	}
	if who.Connection, e = m.text("connection"); e != nil {
		return who, 0, e
	}
	seconds, e := m.integer("seconds")
	if e != nil {
		return who, 0, e
	}
	d = time.Duration(seconds) * time.Second
	if _, there := m["seconds"]; !there {
		d = usualFollow
	}
	switch most := int64(session.MaxFollow / time.Second); {
	case (who.User == "") == (who.Connection == ""):
		return who, 0, protocol.Errorf(protocol.InvalidMessage, "name either a \"user\" or a \"connection\"")
	case seconds < 0 || seconds > most:
		return who, 0, protocol.Errorf(protocol.InvalidMessage, "the field \"seconds\" must be 0 to %d", most)
	}
	return who, d, nil
}

package conformance

import (
	"slices"
	"time"
)

// graceChecks break connections, and see how the other members learn of it.
var graceChecks = []Check{
	{"a user whose connection broke stays for the grace", "Presence", []need{needGrace, needSecret, needRoom(Presence)}, func(r *run) {
		channel, name := r.channel(Presence), unique()
		a, b := entered(r, channel), r.member(name, channel)
		a.sees(name)
		a.timeout = r.target.Grace + r.target.Timeout
		broke := time.Now()
		b.close()
		if e := a.do("presence", object{"channel": channel}, "presence"); !names(e, "users", name) {
			fail("the user is gone as soon as its connection broke: %s", e)
		}
		a.until("presence", "the user's leaving", func(e envelope) bool { return gone(e, name) })
		if stayed := time.Since(broke); stayed < r.target.Grace {
			fail("the user left %s after its connection broke, and the grace is %s", stayed, r.target.Grace)
		}
	}},
	{"a user who is back within the grace was never away", "Presence", []need{needGrace, needSecret, needRoom(Presence)}, func(r *run) {
		channel, name, late := r.channel(Presence), unique(), unique()
		a, b, other := entered(r, channel), r.user(name), r.user(late)
		for user, c := range map[string]*client{name: b, late: other} {
			c.subscribe(channel)
			a.sees(user)
		}
		b.close()
		snapshot(r.member(name, channel)).want("count", 3)
		other.close() // later than b: when this member leaves, the grace of b is over, too
		a.timeout = r.target.Grace + r.target.Timeout
		for {
			e := a.next()
			if gone(e, name) || names(e, "entered", name) {
				fail("the others see the user leave or enter: %s", e)
			} else if gone(e, late) {
				return
			}
		}
	}},
	{"a user who leaves the page with 1001 stays for the grace as well", "Presence", []need{needGrace, needSecret, needRoom(Presence)}, func(r *run) {
		channel, name := r.channel(Presence), unique()
		a, b := entered(r, channel), r.member(name, channel)
		a.sees(name)
		a.timeout = r.target.Grace + r.target.Timeout
		left := time.Now()
		b.must(b.write(opClose, []byte{1001 >> 8, 1001 & 0xff}))
		b.wantClose(1001)
		a.until("presence", "the user's leaving", func(e envelope) bool { return gone(e, name) })
		if stayed := time.Since(left); stayed < r.target.Grace {
			fail("the user left %s after the page, and the grace is %s", stayed, r.target.Grace)
		}
	}},
	{"an anonymous member whose connection broke leaves", "Presence", []need{needRoom(Presence)}, func(r *run) {
		channel := r.channel(Presence)
		a, b := entered(r, channel), entered(r, channel)
		a.sees(b.id())
		b.close()
		a.until("presence", "the member's leaving", func(e envelope) bool { return gone(e, b.id()) })
	}},
}

// member opens a connection of a user that is a member.
func (r *run) member(user, channel string) *client {
	c := r.user(user)
	c.subscribe(channel)
	return c
}

// sees waits until a connection knows of a member.
func (c *client) sees(id string) {
	c.until("presence", "the entry of "+id, func(e envelope) bool { return names(e, "entered", id) || names(e, "users", id) })
}

// gone reports whether a frame says that a member is not there any more.
func gone(e envelope, id string) bool {
	users, all := e.Payload["users"].([]any)
	return e.Type == "presence" && (names(e, "left", id) || all && !slices.Contains(users, any(id)))
}

package conformance

import (
	"encoding/json"
	"strconv"
)

// client is a connection of a check.
type client struct {
	*socket
	connected envelope
	last      int        // the id of the last command
	passed    []envelope // what was read on the way to a reply
}

// id returns the connection's id.
func (c *client) id() string { s, _ := c.connected.Payload["connection"].(string); return s }

// next reads the next frame, which has to be an envelope.
func (c *client) next() envelope {
	if len(c.passed) > 0 {
		e := c.passed[0]
		c.passed = c.passed[1:]
		return e
	}
	return c.read()
}

func (c *client) read() envelope {
	text, err := c.message()
	if err != nil {
		fail("waited for a frame: %v", err)
	}
	return decode(text)
}

// expect reads the next frame, which has to be of a type.
func (c *client) expect(kind string) envelope {
	e := c.next()
	if e.Type != kind {
		fail("got %s instead of %s", e, kind)
	}
	return e
}

// post sends text as it is.
func (c *client) post(text string) { c.must(c.write(opText, []byte(text))) }

// must ends the check if something could not be sent.
func (c *client) must(err error) {
	if err != nil {
		fail("could not send: %v", err)
	}
}

// tell sends a command without an id.
func (c *client) tell(kind string, payload object) {
	text, err := json.Marshal(object{"type": kind, "payload": payload})
	if err != nil {
		panic(err)
	}
	c.post(string(text))
}

// ask sends a command and returns its reply, which has the same id. What comes before it is
// kept for next.
func (c *client) ask(kind string, payload object) envelope {
	c.last++
	text, err := json.Marshal(object{"type": kind, "id": c.last, "payload": payload})
	if err != nil {
		panic(err)
	}
	c.post(string(text))
	return c.reply(strconv.Itoa(c.last))
}

// reply returns the frame with an id, which is given as JSON.
func (c *client) reply(id string) envelope {
	for {
		e := c.read()
		if string(e.ID) == id {
			return e
		}
		c.passed = append(c.passed, e)
	}
}

// do is ask for a command that succeeds with a reply of a type.
func (c *client) do(kind string, payload object, reply string) envelope {
	e := c.ask(kind, payload)
	if e.Type != reply {
		fail("%s was answered with %s, not with %s", kind, e, reply)
	}
	return e
}

// rejected is ask for a command that fails with a code.
func (c *client) rejected(kind string, payload object, code string) envelope {
	e := c.ask(kind, payload)
	if e.Type != "error" || e.Payload["code"] != code {
		fail("%s was answered with %s, not with the error %s", kind, e, code)
	}
	if m, _ := e.Payload["message"].(string); m == "" {
		fail("%s has no message for people", e)
	}
	return e
}

func (c *client) subscribe(channel string) envelope {
	return c.do("subscribe", object{"channel": channel}, "subscribed").want("channel", channel)
}

func (c *client) publish(channel string, content any) envelope {
	return c.do("message", object{"channel": channel, "content": content}, "ack").want("channel", channel)
}

// alive checks that the connection still answers.
func (c *client) alive() { c.do("ping", object{}, "pong") }

// silent checks that nothing has come, up to the answer to a command that is sent now.
func (c *client) silent(why string) {
	c.alive()
	if len(c.passed) > 0 {
		fail("%s, but %s came", why, c.passed[0])
	}
}

// until reads frames of a type until f returns true.
func (c *client) until(kind, what string, f func(envelope) bool) envelope {
	for range 100 {
		if e := c.next(); e.Type == kind && f(e) {
			return e
		}
	}
	fail("100 frames came, but not %s", what)
	panic("unreachable")
}

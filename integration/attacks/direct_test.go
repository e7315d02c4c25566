package attacks

import (
	"fmt"
	"strings"
	"testing"
)

// attackDirect listen to messages to one member that is somebody else, and find out by
// them who is there.
func attackDirect(w *world) (rows []attack) {
	for _, p := range []struct{ name, expect, to string }{
		{"to everybody by *", "NOT_PRESENT, alice heard nothing", `{"user":"*"}`},
		{"to a part of a name and *", "NOT_PRESENT, alice heard nothing", `{"user":"al*"}`},
		{"to a class of characters", "NOT_PRESENT, alice heard nothing", `{"user":"[a-z]lice"}`},
		{"to a name and what would end it", "NOT_PRESENT, alice heard nothing", `{"user":"alice:d::1:"}`},
		{"to a name with a zero byte", "INVALID_MESSAGE, alice heard nothing", `{"user":"alice\u0000"}`},
		{"to a name of 300 bytes", "INVALID_MESSAGE, alice heard nothing", `{"user":"` + strings.Repeat("a", 300) + `"}`},
		{"to nobody", "INVALID_MESSAGE, alice heard nothing", `{}`},
		{"to null", "INVALID_MESSAGE, alice heard nothing", `null`},
		{"to a list", "INVALID_MESSAGE, alice heard nothing", `["alice"]`},
		{"to alice, with connection misspelled", "INVALID_MESSAGE, alice heard nothing", `{"user":"alice","conection":"x"}`},
		{"to alice twice", "INVALID_MESSAGE, alice heard nothing", `{"user":"bob"},"to":{"user":"alice"}`},
		{"to alice", "ack, alice heard it", `{"user":"alice"}`},
	} {
		rows = append(rows, attack{p.name, p.expect, func(t *testing.T) string { return aim(t, w.site, p.to) }})
	}
	return append(rows,
		attack{"to alice, in earshot of others", "alice alone", func(t *testing.T) string { return eavesdrop(t, w.site) }},
		attack{"as a user with the name of a connection", "only the connection", func(t *testing.T) string { return impersonate(t, w.site) }},
		attack{"from somebody else, as the message itself says", `from {"user":"mallory"}`, func(t *testing.T) string { return forgeFrom(t, w.site) }},
		attack{"who is there, without being allowed to see it", "the same answers", func(t *testing.T) string { return probe(t, w.site) }},
		attack{"to one member where there is no presence", "FORBIDDEN", func(t *testing.T) string {
			return w.site.connect(t).ask(t, "message", `{"channel":"open:9","content":1,"to":{"user":"alice"}}`).outcome()
		}},
	)
}

// enters connects somebody who is in a channel.
func (s target) enters(t *testing.T, channel string, header ...string) *client {
	t.Helper()
	c := s.connect(t, header...)
	if ev := c.ask(t, "subscribe", `{"channel":"`+channel+`"}`); ev.Type != "subscribed" {
		t.Fatalf("subscribing is answered with %s", ev.outcome())
	}
	// It is a member a moment after that, and before its next command is looked at.
	if !c.lives(t) {
		t.Fatal("a ping is not answered")
	}
	return c
}

// fence is a message to all, which shows that none came before it.
func (s target) fence(t *testing.T, channel string) {
	t.Helper()
	if a := s.send(t, post(channel, `{"content":"to all"}`, jsonType, bearer(appKey))); a.status != 200 {
		t.Fatal(a)
	}
}

func (c *client) hears(t *testing.T) string {
	t.Helper()
	ev, err := c.nextMessage()
	if err != nil {
		t.Fatal(err)
	}
	return string(ev.Payload.Content)
}

// nextMessage is next for plain messages.
func (e *events) nextMessage() (map[string]string, error) {
	for {
		if ev, err := e.next(); err != nil || ev["event"] == "" && ev["data"] != "" {
			return ev, err
		}
	}
}

func aim(t *testing.T, s target, to string) string {
	alice, bob := s.enters(t, "private:1", "X-User: alice"), s.enters(t, "private:1", "X-User: bob")
	answer := bob.ask(t, "message", `{"channel":"private:1","content":"secret","to":`+to+`}`).outcome()
	s.fence(t, "private:1")
	if alice.hears(t) == `"secret"` {
		return answer + ", alice heard it"
	}
	return answer + ", alice heard nothing"
}

// eavesdrop listens in every way there is, also afterwards.
func eavesdrop(t *testing.T, s target) string {
	const channel = "private:2"
	alice, bob := s.enters(t, channel, "X-User: alice"), s.enters(t, channel, "X-User: bob")
	eve, stream := s.enters(t, channel), s.follow(t, "channel="+channel)
	s.fence(t, channel)
	for _, c := range []*client{alice, bob, eve} {
		c.hears(t)
	}
	first, err := stream.nextMessage()
	if err != nil {
		t.Fatal(err)
	}
	if got := bob.ask(t, "message", `{"channel":"`+channel+`","content":"secret","to":{"user":"alice"}}`).outcome(); got != "ack" {
		return got
	}
	over := s.send(t, post(channel, `{"content":"secret","to":{"user":"alice"}}`, jsonType, "X-User: bob"))
	if over.status != 200 {
		return over.String()
	}
	s.fence(t, channel)
	if a, b := alice.hears(t), alice.hears(t); a+b != `"secret""secret"` {
		return "alice heard " + a + b
	}
	for name, c := range map[string]*client{"bob": bob, "eve": eve} {
		if got := c.hears(t); got != `"to all"` {
			return name + " heard " + got
		}
	}
	second, err := stream.nextMessage()
	if err != nil || !strings.Contains(second["data"], "to all") {
		return fmt.Sprintf("the stream has %v, %v", second, err)
	}
	late := s.connect(t).ask(t, "subscribe", `{"channel":"`+channel+`","history":20}`)
	resumed := s.follow(t, "channel="+channel+"&lastEventID="+first["id"])
	again, err := resumed.nextMessage()
	if err != nil || again["id"] != second["id"] {
		return fmt.Sprintf("the resumed stream has %v, %v", again, err)
	}
	page := s.send(t, request{"GET", "/rt/channels/" + channel + "/messages", []string{bearer(appKey)}, ""})
	asked := eve.ask(t, "history", `{"channel":"`+channel+`"}`)
	for name, text := range map[string]string{
		"a late subscriber": string(late.Payload.Messages), "the API": page.body, "the history": string(asked.Payload.Messages),
	} {
		if strings.Contains(text, "secret") || strings.Count(text, "to all") != 2 {
			return name + " has " + text
		}
	}
	return "alice alone"
}

// impersonate signs in under the name of a connection, to be taken for it.
func impersonate(t *testing.T, s target) string {
	const channel = "private:3"
	victim := s.enters(t, channel)
	mallory, bob := s.enters(t, channel, "X-User: "+victim.id), s.enters(t, channel, "X-User: bob")
	got := bob.ask(t, "message", `{"channel":"`+channel+`","content":"secret","to":{"connection":"`+victim.id+`"}}`).outcome()
	if got != "ack" {
		return got
	}
	s.fence(t, channel)
	if heard := mallory.hears(t); heard != `"to all"` {
		return "mallory heard " + heard
	}
	if heard := victim.hears(t); heard != `"secret"` {
		return "the connection heard " + heard
	}
	return "only the connection"
}

func forgeFrom(t *testing.T, s target) string {
	const channel = "private:4"
	alice := s.enters(t, channel, "X-User: alice")
	const forged = `"from":{"user":"bob"},"sender":"bob","content":1,"to":{"user":"alice"}`
	mallory := s.connect(t, "X-User: mallory")
	if got := mallory.ask(t, "message", `{"channel":"`+channel+`",`+forged+`}`).outcome(); got != "ack" {
		return got
	}
	first, err := alice.nextMessage()
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"user":"mallory","connection":"` + mallory.id + `"}`; string(first.Payload.From) != want || first.Payload.Sender != "mallory" {
		return "from " + string(first.Payload.From)
	}
	if a := s.send(t, post(channel, "{"+forged+"}", jsonType, "X-User: mallory")); a.status != 400 {
		return a.String()
	}
	s.send(t, post(channel, `{"content":1,"to":{"user":"alice"}}`, jsonType, "X-User: mallory"))
	second, err := alice.nextMessage()
	if err != nil {
		t.Fatal(err)
	}
	return "from " + string(second.Payload.From)
}

// probe asks for members that are there and for others, where the members are hidden.
func probe(t *testing.T, s target) string {
	const channel = "hidden:1"
	alice := s.enters(t, channel, "X-User: alice")
	mallory := s.enters(t, channel, "X-User: mallory")
	answers := make(map[string]bool)
	for _, to := range []string{`{"user":"alice"}`, `{"user":"bob"}`, `{"user":"alice","connection":"` + alice.id + `"}`, `{"connection":"abcdefghabcdefgh"}`} {
		body := `{"content":1,"to":` + to + `}`
		over := s.send(t, post(channel, body, jsonType))
		answers[over.String()+over.body] = true
		answers[mallory.ask(t, "message", `{"channel":"`+channel+`",`+body[1:]).outcome()] = true
	}
	if len(answers) != 2 {
		return fmt.Sprintf("the answers %v", answers)
	}
	return "the same answers"
}

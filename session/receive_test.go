package session

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestCommands(t *testing.T) {
	inBubble(t, Limits{}, append(open("a"), kept("h:*", 10)), func(t *testing.T, w *world) {
		ann, anon := w.connect("ann"), w.connect("")
		ann.say(`{"type":"subscribe","id":1,"payload":{"channel":"a"}}`)
		ann.hears(`{"type":"subscribed","id":1,"payload":{"channel":"a"}}`)
		anon.say(`{"type":"subscribe","payload":{"channel":"a"}}`)
		anon.hears(`{"type":"subscribed","payload":{"channel":"a"}}`)

		ann.say(`{"type":"message","payload":{"channel":"a","content":{"x": 1},"event":"move"}}`)
		said := `{"type":"message","payload":{"channel":"a","sender":"ann","event":"move","content":{"x":1}}}`
		ann.hears(said)
		anon.hears(said)

		anon.say(`{"type":"message","id":"two","payload":{"channel":"h:1","content":"hi"}}`)
		anon.hears(`{"type":"ack","id":"two","payload":{"channel":"h:1","offset":1}}`)
		ann.say(`{"type":"history","id":3,"payload":{"channel":"h:1"}}`)
		ann.hears(`{"type":"history","id":3,"payload":{"channel":"h:1","offset":1,"messages":[` +
			`{"offset":1,"sender":"` + anon.Conn().ID() + `","content":"hi"}]}}`)

		ann.say(`{"type":"unsubscribe","id":4,"payload":{"channel":"a"}}`, `{"type":"ping","id":5}`)
		ann.hears(`{"type":"unsubscribed","id":4,"payload":{"channel":"a"}}`, `{"type":"pong","id":5,"payload":{}}`)
		anon.say(`{"type":"message","payload":{"channel":"a","content":null}}`)
		ann.hears()
	})
}

// A bad frame gets an error with the id, if that can be read, and costs nothing
// else: the connection answers afterwards.
func TestErrors(t *testing.T) {
	rooms := append(open("a"), policy.Room{Pattern: "shut"}, policy.Room{Pattern: "known", Subscribe: policy.Users})
	tests := map[string]struct {
		frame string
		id    string
		code  protocol.Code
	}{
		"nothing":          {``, ``, protocol.InvalidJSON},
		"no JSON":          {`hello`, ``, protocol.InvalidJSON},
		"cut off":          {`{"type":"ping","id":1`, ``, protocol.InvalidJSON},
		"two values":       {`{"type":"ping"}{}`, ``, protocol.InvalidJSON},
		"no UTF-8":         {"{\"type\":\"\xff\"}", ``, protocol.InvalidJSON},
		"array":            {`[]`, ``, protocol.InvalidMessage},
		"no type":          {`{"id":7}`, `7`, protocol.InvalidMessage},
		"type is a number": {`{"id":7,"type":1}`, `7`, protocol.InvalidMessage},
		"id is an object":  {`{"id":{},"type":"ping"}`, ``, protocol.InvalidMessage},
		"long id":          {`{"id":"` + strings.Repeat("x", 65) + `","type":"ping"}`, ``, protocol.InvalidMessage},
		"payload is text":  {`{"id":7,"type":"ping","payload":"x"}`, `7`, protocol.InvalidMessage},
		"too deep":         {`{"id":7,"type":"message","payload":` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + `}`, ``, protocol.InvalidMessage},
		"unknown type":     {`{"id":"q","type":"dance"}`, `"q"`, protocol.UnknownType},
		"reply as command": {`{"id":1,"type":"subscribed","payload":{"channel":"a"}}`, `1`, protocol.UnknownType},
		"empty type":       {`{"id":1,"type":""}`, `1`, protocol.UnknownType},
		"no channel":       {`{"id":1,"type":"subscribe","payload":{}}`, `1`, protocol.InvalidMessage},
		"no payload":       {`{"id":1,"type":"subscribe"}`, `1`, protocol.InvalidMessage},
		"channel a number": {`{"id":1,"type":"subscribe","payload":{"channel":1}}`, `1`, protocol.InvalidMessage},
		"empty channel":    {`{"id":1,"type":"subscribe","payload":{"channel":""}}`, `1`, protocol.InvalidChannel},
		"pattern":          {`{"id":1,"type":"subscribe","payload":{"channel":"a:*"}}`, `1`, protocol.InvalidChannel},
		"bad history":      {`{"id":1,"type":"subscribe","payload":{"channel":"a","history":-1}}`, `1`, protocol.InvalidMessage},
		"bad recover":      {`{"id":1,"type":"subscribe","payload":{"channel":"a","recover":3}}`, `1`, protocol.InvalidMessage},
		"no content":       {`{"id":1,"type":"message","payload":{"channel":"a"}}`, `1`, protocol.InvalidMessage},
		"bad key":          {`{"id":1,"type":"message","payload":{"channel":"a","content":1,"key":""}}`, `1`, protocol.InvalidMessage},
		"bad limit":        {`{"id":1,"type":"history","payload":{"channel":"a","limit":"x"}}`, `1`, protocol.InvalidMessage},
		"leave nothing":    {`{"id":1,"type":"unsubscribe"}`, `1`, protocol.InvalidMessage},
		"no id":            {`{"type":"unsubscribe","payload":{"channel":"a"}}`, ``, protocol.NotSubscribed},
		"not subscribed":   {`{"id":1,"type":"unsubscribe","payload":{"channel":"a"}}`, `1`, protocol.NotSubscribed},
		"unknown channel":  {`{"id":1,"type":"subscribe","payload":{"channel":"b"}}`, `1`, protocol.Forbidden},
		"shut":             {`{"id":1,"type":"subscribe","payload":{"channel":"shut"}}`, `1`, protocol.Forbidden},
		"anonymous":        {`{"id":1,"type":"subscribe","payload":{"channel":"known"}}`, `1`, protocol.Unauthorized},
		"publish":          {`{"id":1,"type":"message","payload":{"channel":"known","content":1}}`, `1`, protocol.Forbidden},
		"publish, no id":   {`{"type":"message","payload":{"channel":"shut","content":1}}`, ``, protocol.Forbidden},
		"history":          {`{"id":1,"type":"history","payload":{"channel":"known"}}`, `1`, protocol.Unauthorized},
	}
	inBubble(t, Limits{}, rooms, func(t *testing.T, w *world) {
		for name, test := range tests {
			c := w.connect("")
			c.say(test.frame, `{"type":"ping"}`)
			if c.hears(failure(test.id, test.code), `{"type":"pong","payload":{}}`); t.Failed() {
				t.Fatal(name)
			}
		}
	})
}

func TestConnectedSaysWho(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		c, e := w.dial(named("ann"))
		if e != nil {
			t.Fatal(e)
		}
		c.hears(`{"type":"connected","payload":{"version":1,"connection":"` + c.Conn().ID() + `","user":"ann","heartbeat":25000}}`)
	})
}

package session

import (
	"strconv"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A message that is after a rejected one is rejected too, although the room has a token again: it would
// overtake that one. The next message without the mark ends that.
func TestSuccession(t *testing.T) {
	rooms := open("slow:*")
	rooms[0].Rate = policy.Rate{PerSecond: 1, Burst: 2}
	inBubble(t, Limits{}, rooms, func(t *testing.T, w *world) {
		message := func(id int, more string) string {
			return `{"type":"message","id":` + strconv.Itoa(id) + `,"payload":{"channel":"slow:1","content":1` + more + `}}`
		}
		ack := func(id int) string {
			return `{"type":"ack","id":` + strconv.Itoa(id) + `,"payload":{"channel":"slow:1"}}`
		}
		const after = `,"after":true`
		c := w.connect("ann")
		c.say(message(1, ""), message(2, after), message(3, after))
		c.hears(ack(1), ack(2), limited("3", 1000))
		time.Sleep(2 * time.Second)
		volatile := `{"type":"message","payload":{"channel":"slow:1","content":1,"volatile":true}}`
		c.say(message(4, after), volatile, message(5, after))
		c.hears(limited("4", 1000), limited("5", 1000))
		c.say(message(3, ""), message(6, after))
		c.hears(ack(3), limited("6", 1000))
		time.Sleep(2 * time.Second)
		c.say(message(4, ""), message(5, after))
		c.hears(ack(4), ack(5))
		// A lack of permission is final, so nothing has to wait for it.
		c.say(`{"type":"message","id":7,"payload":{"channel":"none","content":1}}`)
		time.Sleep(time.Second)
		c.say(message(8, after))
		c.hears(failure("7", protocol.Forbidden), ack(8))
	})
}

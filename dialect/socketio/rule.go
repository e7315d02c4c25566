package socketio

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Verb is what a rule does with an event.
type Verb string

// The verbs. They do what the handler of an event on a Socket.IO server would do.
const (
	// All sends the event to all clients of the namespace, the sender too.
	All Verb = "all"
	// Others sends the event to all clients of the namespace but the sender.
	Others Verb = "others"
	// ToRoom sends the event to the others in the room that an argument names. The other arguments
	// are those of the event.
	ToRoom Verb = "room"
	// Join subscribes the client to the room that an argument names.
	Join Verb = "join"
	// Leave takes the client out of the room that an argument names.
	Leave Verb = "leave"
	// Reply sends an event back to the client.
	Reply Verb = "reply"
	// Ack acknowledges the event with its own arguments.
	Ack Verb = "ack"
	// Deny rejects the event.
	Deny Verb = "deny"
)

// maxArgument is the greatest number of an argument that a rule names.
const maxArgument = 9

// Rule says what happens to events of clients.
type Rule struct {
	// Event is the name of the event. With a * at its end it stands for all names that begin so.
	Event string
	Do    Verb
	// Argument is the number of the argument that names the room, from 0.
	Argument int
	// As is the name of the event of Reply; empty for the same one.
	As string
	// Volatile says that clients which can not take the event at once do not get it, and that the
	// history does not keep it.
	Volatile bool
}

// ParseRule reads `<event> <verb> [<argument>] [volatile]`.
func ParseRule(words []string) (Rule, error) {
	if len(words) < 2 {
		return Rule{}, fmt.Errorf("a rule is written: on <event> <what to do>")
	}
	r, rest := Rule{Event: words[0], Do: Verb(words[1])}, words[2:]
	switch r.Do {
	case ToRoom, Join, Leave:
		if len(rest) == 0 {
			return Rule{}, fmt.Errorf("'%s' needs the number of the argument that names the room", r.Do)
		}
		n, err := strconv.Atoi(rest[0])
		if err != nil {
			return Rule{}, fmt.Errorf("'%s' is not the number of an argument", rest[0])
		}
		r.Argument, rest = n, rest[1:]
	case Reply:
		if len(rest) > 0 {
			r.As, rest = rest[0], rest[1:]
		}
	}
	if len(rest) > 0 && rest[0] == "volatile" && r.publishes() {
		r.Volatile, rest = true, rest[1:]
	}
	if len(rest) > 0 {
		return Rule{}, fmt.Errorf("'%s' has no place behind '%s'", rest[0], r.Do)
	}
	return r, r.Check()
}

// publishes reports whether the rule sends the event to a room.
func (r *Rule) publishes() bool { return r.Do == All || r.Do == Others || r.Do == ToRoom }

// Check finds what can not work.
func (r *Rule) Check() error {
	switch r.Do {
	case All, Others, ToRoom, Join, Leave, Reply, Ack, Deny:
	default:
		return fmt.Errorf("'%s' is none of: all, others, room, join, leave, reply, ack, deny", r.Do)
	}
	switch name := strings.TrimSuffix(r.Event, "*"); {
	case r.Event == "":
		return fmt.Errorf("a rule needs the name of an event")
	case strings.Contains(name, "*"):
		return fmt.Errorf("'%s' has a * that is not at its end", r.Event)
	case isReserved(r.Event):
		return fmt.Errorf("'%s' is a name that clients can not send", r.Event)
	case checkEvent(name) != nil && name != "":
		return fmt.Errorf("'%s' can not be the name of an event", r.Event)
	case r.Argument < 0 || r.Argument > maxArgument:
		return fmt.Errorf("%d is not the number of an argument, from 0 to %d", r.Argument, maxArgument)
	case r.As != "" && (r.Do != Reply || checkEvent(r.As) != nil || isReserved(r.As)):
		return fmt.Errorf("'%s' can not be the name of a reply", r.As)
	case r.Volatile && !r.publishes():
		return fmt.Errorf("'%s' sends nothing that could be volatile", r.Do)
	}
	return nil
}

// matches reports whether the rule is about an event.
func (r *Rule) matches(event string) bool {
	if beginning, open := strings.CutSuffix(r.Event, "*"); open {
		return strings.HasPrefix(event, beginning)
	}
	return event == r.Event
}

// Covers reports whether the rule is about all events of a name, which may have a * at its end.
func (r *Rule) Covers(event string) bool { return r.matches(event) }

// firstRule returns the first rule about an event; nil if there is none.
func firstRule(rules []Rule, event string) *Rule {
	for i := range rules {
		if rules[i].matches(event) {
			return &rules[i]
		}
	}
	return nil
}

// checkEvent checks the name of an event. Names that the native protocol uses itself are fine, because
// the native dialect writes such a name beside the type of its envelope.
func checkEvent(name string) *protocol.Error {
	if protocol.Reserved(name) {
		return nil
	}
	return protocol.ValidEvent(name)
}

// Check finds what can not work.
func (e *Emit) Check() error {
	if e.Event == "" || isReserved(e.Event) || checkEvent(e.Event) != nil {
		return fmt.Errorf("'%s' can not be the name of an event for clients", e.Event)
	}
	return nil
}

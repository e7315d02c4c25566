package hub

import "cmp"

// Address names a member of a room, or one connection of it. It has at least one
// of its fields, unless it names nobody.
type Address struct {
	// User is the id of a user. Without Connection all of the user's connections in
	// the room are meant.
	User string
	// Connection is the id of one connection: the user's or, without a user, one of
	// which nobody knows who it is.
	Connection string
}

// Member is the name under which presence knows the member.
func (a Address) Member() string { return cmp.Or(a.User, a.Connection) }

// Direct is what a message to one member has beside the others. Such a message
// passes by the room's history: nobody can recover it.
type Direct struct {
	To Address
	// From is where an answer reaches the sender; zero: nowhere.
	From Address
}

// addressed reports whether an event is for this connection, as far as that is up
// to an address.
func (c *Conn) addressed(ev Event) bool {
	m, ok := ev.(*Message)
	if !ok || m.Direct == nil {
		return true
	}
	to, user := m.Direct.To, ""
	if c.user != nil {
		user = c.user()
	}
	return to.User == user && (to.Connection == c.id || to.Connection == "" && user != "")
}

// addressedAny is addressed for several events.
func (c *Conn) addressedAny(events []Event) bool {
	for _, ev := range events {
		if c.addressed(ev) {
			return true
		}
	}
	return false
}

// directKey keeps the idempotency keys of directed messages apart from those of
// messages to the room, of which a broker remembers positions.
func directKey(key string) string {
	if key == "" {
		return ""
	}
	return "d" + key
}

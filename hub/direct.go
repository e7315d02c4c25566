package hub

// Address names a member of a room, or one of its connections. The zero Address names
// none.
type Address struct {
	// User is the id of a user. Without Connection all of the user's connections in
	// the room are meant.
	User string
	// Connection is the id of one connection: of the user's or, without User, of an
	// anonymous one.
	Connection string
}

// Direct are the additional fields of a message to one member. Such a message is not in
// the room's history and cannot be recovered.
type Direct struct {
	To Address
	// From is the address for an answer to the sender; zero if there is none.
	From Address
}

// addressed reports whether an event is for this subscription. Only messages with an address, or
// with connections that are left out, are not for all. Needs conn.mu for a message without address.
func (s *subscription) addressed(ev Event) bool {
	c := s.conn
	m, ok := ev.(*Message)
	if !ok || m.Direct == nil {
		return !ok || m.Except == "" || !c.excepted(m.Except)
	}
	to, user := m.Direct.To, ""
	switch {
	case s.member != nil:
		user = *s.member
	case c.user != nil:
		user = c.user()
	}
	return to.User == user && (to.Connection == c.ID() || to.Connection == "" && user != "")
}

// addressedAny reports whether any of the events is for this subscription.
func (s *subscription) addressedAny(events []Event) bool {
	for _, ev := range events {
		if s.addressed(ev) {
			return true
		}
	}
	return false
}

// directKey separates the idempotency keys of messages to one member from those of
// messages to the room, for which a broker remembers positions.
func directKey(key string) string {
	if key == "" {
		return ""
	}
	return "d" + key
}

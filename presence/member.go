package presence

import "time"

// Member is what a room shows of a member. It is immutable once it was handed to
// anybody, and shared between tracker and store.
type Member struct {
	// Key is the user's id, or the connection's if it is anonymous.
	Key string
	// Status is a word; empty means online.
	Status string
	// Info is a JSON object, compact and with its keys in order, or empty. It has
	// neither "status" nor "lastSeen" in it, so that these can be put beside it.
	Info string
	// Remember is for how long the store lists the member after it has left; 0:
	// not at all. It is not shown.
	Remember time.Duration
}

// Same reports whether a and b look the same to others. Nil is nobody.
func (m *Member) Same(o *Member) bool {
	if m == nil || o == nil {
		return m == o
	}
	return m == o || m.Status == o.Status && m.Info == o.Info
}

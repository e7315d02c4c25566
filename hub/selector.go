package hub

// Selector chooses the messages that a subscription gets. A room asks equal Selectors (compared
// with ==) once for each message, so a Selector must be comparable.
type Selector interface {
	// Passes reports whether a subscription with this Selector gets m. scratch belongs to m and
	// is shared by all Selectors that look at m in one broadcast: it is nil at first, and a
	// Selector may keep there what it has made of m. Passes must neither block nor call the hub,
	// and must not panic.
	Passes(m *Message, scratch *any) bool
}

package presence

// Owner says whose id the key of a member is. Users and connections share the keys of a room, and
// a user may have the name of a connection.
type Owner uint8

const (
	// Either means that the owner is not known, or that the member is a user and an anonymous
	// connection at the same time. It is the zero value.
	Either Owner = iota
	// User means that the key is the id of a user.
	User
	// Connection means that the key is the id of an anonymous connection.
	Connection
)

// Or returns the owner of a member that one node or connection holds as o and another one as p.
func (o Owner) Or(p Owner) Owner {
	if o == p {
		return o
	}
	return Either
}

// May reports whether a member with the owner o may be what is looked for.
func (o Owner) May(wanted Owner) bool { return o == wanted || o == Either || wanted == Either }

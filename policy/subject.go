package policy

// Subject is the part of a caller that permissions depend on. The zero Subject is
// anonymous. Package session embeds it in its Principal, so that a decision copies nothing.
type Subject struct {
	// User is the id of the user; empty for none.
	User string
	// Claims are the values of {claim.NAME} in a pattern, by name. They must come from a
	// verified token. They are only read.
	Claims map[string]string
	// Grants are the grants of the token. The zero value is empty.
	Grants Grants
}

// anonymous reports whether nothing at all is known about the subject.
func (s *Subject) anonymous() bool {
	return s.User == "" && len(s.Claims) == 0 && len(s.Grants.list) == 0
}

// value returns the subject's value for a placeholder, or an empty string if it has none.
func (s *Subject) value(p segment) string {
	if p.kind == caller {
		return s.User
	}
	return s.Claims[p.text]
}

package policy

// Subject is the part of a caller that permissions depend on. The zero Subject is
// anonymous. The package session embeds it in its Principal, so that a decision reads
// the caller where it is and copies nothing.
type Subject struct {
	// User is the id of the user; empty for none.
	User string
	// Claims are the values of {claim.NAME} in a pattern, by name. They must come from
	// a verified token. A Subject only reads them.
	Claims map[string]string
	// Grants are the channels that the token opens; the zero Grants are none.
	Grants Grants
}

// anonymous reports that nothing at all is known about the subject.
func (s *Subject) anonymous() bool {
	return s.User == "" && len(s.Claims) == 0 && len(s.Grants.list) == 0
}

// value is what a placeholder stands for, and empty when it stands for nothing.
func (s *Subject) value(p segment) string {
	if p.kind == caller {
		return s.User
	}
	return s.Claims[p.text]
}

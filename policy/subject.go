package policy

// Subject is who asks, as far as permissions go. The zero Subject is anonymous.
type Subject struct {
	// User is the id of the user; empty for none.
	User string
	// Claims are what {claim.NAME} in a pattern stands for, by name. They must
	// come from a token that was verified. A Subject only reads them.
	Claims map[string]string
	// Grants are the channels that the token opens; the zero Grants are none.
	Grants Grants
}

// anonymous reports that nothing at all is known of the subject.
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

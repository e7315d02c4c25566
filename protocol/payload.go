package protocol

// spans are the members of a command's payload, found while the whole frame was scanned. So the
// decoder of the payload need not check and scan the payload again. There is a place for each
// field of any payload; a payload with more members is not recorded.
type spans struct {
	at       [maxFields]span
	n        int
	recorded bool
}

// payload reads a value like [scanner.value], and records the members of an object.
func (s *scanner) payload(to *spans) *Error {
	*to = spans{}
	if s.peek() != '{' {
		return s.value()
	}
	to.recorded = true
	return s.nested('{', to)
}

// add records a member; nil records nothing.
func (p *spans) add(m span) {
	if p == nil {
		return
	}
	if p.recorded = p.recorded && p.n < maxFields; p.recorded {
		p.at[p.n] = m
		p.n++
	}
}

// walkPayload starts to read the payload of a command.
func (c *Command) walkPayload() members {
	if !c.members.recorded {
		return walk(c.Payload, "payload")
	}
	return members{in: scanner{text: c.frame}, where: "payload", found: c.members}
}

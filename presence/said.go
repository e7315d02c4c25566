package presence

import "encoding/json"

// Change is what a connection says about its member. The zero Change says
// nothing.
type Change struct {
	// Status is a short word; empty leaves it as it is, [Online] is the default.
	Status string
	// Info is a JSON object that the client sets; nil leaves it as it is, null or {}
	// takes it back. It is replaced as a whole.
	Info json.RawMessage
	// Server is the same of the server: from the user's token, say.
	Server json.RawMessage
}

// parsed is a checked Change. Nil fields leave things as they are.
type parsed struct {
	status, client, server *string
}

func (c Change) parse() (p parsed, err error) {
	if c.Status != "" {
		p.status, err = pointer(parseStatus(c.Status))
	}
	if err == nil && c.Info != nil {
		p.client, err = pointer(parseInfo(c.Info, MaxInfo))
	}
	if err == nil && c.Server != nil {
		p.server, err = pointer(parseInfo(c.Server, 0))
	}
	return p, err
}

// Check finds what is wrong with a change before it is made. Errors: [ErrStatus]
// and [ErrInfo].
func (c Change) Check() error {
	_, err := c.parse()
	return err
}

func pointer(s string, err error) (*string, error) { return &s, err }

// remark is a value with the order in which it was set; 0: never.
type remark struct {
	text string
	at   uint64
}

func (r *remark) set(text *string, at uint64) {
	if text != nil {
		r.text, r.at = *text, at
	}
}

// said is all that one connection said.
type said struct {
	status, client, server remark
}

func (s *said) apply(p parsed, at uint64) {
	s.status.set(p.status, at)
	s.client.set(p.client, at)
	s.server.set(p.server, at)
}

// combine decides what a member shows, of what its connections said. There is at
// least one.
func combine(stays []*Stay) (status, info string) {
	best := stays[0].said
	for _, s := range stays[1:] {
		best.status = weightier(best.status, s.said.status)
		best.client = latest(best.client, s.said.client)
		best.server = latest(best.server, s.said.server)
	}
	return best.status.text, mergeInfo(best.client.text, best.server.text)
}

func weightier(a, b remark) remark {
	ra, rb := Rank(a.text), Rank(b.text)
	if rb > ra || rb == ra && b.at > a.at {
		return b
	}
	return a
}

// latest returns the one set last of those that are not empty.
func latest(a, b remark) remark {
	if a.text == "" || b.text != "" && b.at > a.at {
		return b
	}
	return a
}

package presence

import "encoding/json"

// Change is a change of the status and info of a connection. The zero Change changes
// nothing.
type Change struct {
	// Status is a short word; empty means no change. The first status is [Online].
	Status string
	// Info is a JSON object that the client sets. It replaces the whole info. Null or {}
	// removes it, nil means no change.
	Info json.RawMessage
	// Server is an info as well. The server sets it, for example from the user's token.
	Server json.RawMessage
}

// parsed is a checked Change. A nil field means no change.
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

// Check checks a change before it is made. Errors: [ErrStatus] and [ErrInfo].
func (c Change) Check() error {
	_, err := c.parse()
	return err
}

func pointer(s string, err error) (*string, error) { return &s, err }

// remark is a value and when it was set, as a number in the order of all; 0 means never.
type remark struct {
	text  string
	order uint64
}

func (r *remark) set(text *string, at uint64) {
	if text != nil {
		r.text, r.order = *text, at
	}
}

// said is the status and info of one connection.
type said struct {
	status, client, server remark
}

func (s *said) apply(p parsed, at uint64) {
	s.status.set(p.status, at)
	s.client.set(p.client, at)
	s.server.set(p.server, at)
}

// combine returns what a member shows, from the status and info of its connections. There
// is at least one.
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
	if rb > ra || rb == ra && b.order > a.order {
		return b
	}
	return a
}

// latest returns the value set last of those that are not empty.
func latest(a, b remark) remark {
	if a.text == "" || b.text != "" && b.order > a.order {
		return b
	}
	return a
}

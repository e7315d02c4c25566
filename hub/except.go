package hub

import "strings"

// exceptMark stands before, between and behind the names of [ExceptAny]. No name of a channel and no
// id of a connection has it, and it needs no escape in JSON.
const exceptMark = "*"

// ExceptAny makes the [Message.Except] of a message that leaves out several: each name is the id of a
// connection, or a channel whose connections do not get the message. Nodes of an earlier version
// leave out none of them. Without names it returns the empty text.
func ExceptAny(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return exceptMark + strings.Join(names, exceptMark) + exceptMark
}

// excepted reports whether a message with this Except leaves the connection out. Needs mu.
func (c *Conn) excepted(except string) bool {
	if except[:1] != exceptMark {
		return except == c.ID() || c.succeeds(except)
	}
	for name := range strings.SplitSeq(strings.Trim(except, exceptMark), exceptMark) {
		if name == c.ID() || c.succeeds(name) || c.subscription(name) != nil {
			return true
		}
	}
	return false
}

package config

import (
	"errors"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Content bounds what clients publish in a room, below the limits of every frame. Larger
// contents are rejected with TOO_LARGE.
type Content struct {
	// Size is the greatest length in bytes, as compact JSON; at most message_size.
	// Default: 0, which means message_size.
	Size int64 `json:"size,omitempty"`

	// Depth is how deeply arrays and objects may be nested; 1 is an object of plain
	// values. At most 64. Default: 0, which means 64, the limit of every frame.
	Depth int `json:"depth,omitempty"`

	// Nodes is the greatest number of values. Each array, each object and each of their
	// elements counts as one. Default: 0, which means 10000 in a room with a schema or
	// sanitizing, and elsewhere no bound but the size.
	Nodes int `json:"nodes,omitempty"`
}

// compile checks the bounds. The hub compares them with its limits, see fits.
func (c Content) compile() (policy.Bounds, error) {
	switch {
	case min(c.Size, int64(c.Depth), int64(c.Nodes)) < 0:
		return policy.Bounds{}, errors.New("negative number")
	case c.Depth > protocol.MaxDepth:
		return policy.Bounds{}, fmt.Errorf("a depth of %d is more than the %d that every frame is held to", c.Depth, protocol.MaxDepth)
	}
	return policy.Bounds{Size: int(c.Size), Depth: c.Depth, Nodes: c.Nodes}, nil
}

// fits reports a bound that no content could reach, because message_size is smaller.
func (c Content) fits(messageSize int64) error {
	if c.Size > messageSize {
		return fmt.Errorf("content: a size of %d is more than message_size, which is %d bytes", c.Size, messageSize)
	}
	return nil
}

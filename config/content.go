package config

import (
	"errors"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Content bounds what clients publish in a room, below what every frame is
// held to. Contents beyond it are refused with TOO_LARGE.
type Content struct {
	// Size is the greatest length in bytes, as compact JSON. Default: 0, which means
	// what message_size allows.
	Size int64 `json:"size,omitempty"`

	// Depth is how deeply arrays and objects may be nested; 1 is an object of plain
	// values. Default: 0, which means what every frame is held to, 64.
	Depth int `json:"depth,omitempty"`

	// Nodes is the greatest number of values, where each array, each object and each
	// of their elements counts as one. Default: 0, which means 10000 in a room with a
	// schema or sanitizing, and elsewhere no bound but the size.
	Nodes int `json:"nodes,omitempty"`
}

// compile leaves the comparison with the limits to the hub, which knows them.
func (c Content) compile() (policy.Bounds, error) {
	switch {
	case min(c.Size, int64(c.Depth), int64(c.Nodes)) < 0:
		return policy.Bounds{}, errors.New("negative number")
	case c.Depth > protocol.MaxDepth:
		return policy.Bounds{}, fmt.Errorf("a depth of %d is more than the %d that every frame is held to", c.Depth, protocol.MaxDepth)
	}
	return policy.Bounds{Size: int(c.Size), Depth: c.Depth, Nodes: c.Nodes}, nil
}

// fits finds a bound that could never be reached.
func (c Content) fits(messageSize int64) error {
	if c.Size > messageSize {
		return fmt.Errorf("content: a size of %d is more than message_size, which is %d bytes", c.Size, messageSize)
	}
	return nil
}

package notify

// Choice says which events are recorded or sent. It does not change once it is in use. A nil
// Choice wants nothing.
type Choice struct {
	types    map[Type]bool
	channels func(channel string) bool // nil: all
}

// NewChoice returns the choice of some types. channels says for which channels; nil means for
// all. It must not block. Connections have no channel, so it does not concern them.
func NewChoice(types []Type, channels func(channel string) bool) *Choice {
	c := &Choice{types: make(map[Type]bool, len(types)), channels: channels}
	for _, t := range types {
		c.types[t] = true
	}
	return c
}

// Wants reports whether an event is chosen. The channel is empty for events of connections.
func (c *Choice) Wants(t Type, channel string) bool {
	if c == nil || !c.types[t] {
		return c != nil && t == Lost
	}
	return channel == "" || c.channels == nil || c.channels(channel)
}

// Any reports whether one of some types is chosen, for any channel.
func (c *Choice) Any(types ...Type) bool {
	for _, t := range types {
		if c != nil && c.types[t] {
			return true
		}
	}
	return false
}

// union returns what at least one of several choices wants.
func union(all []*Choice) *Choice {
	if len(all) == 0 {
		return nil
	}
	if len(all) == 1 {
		return all[0]
	}
	u := &Choice{types: make(map[Type]bool)}
	for _, c := range all {
		for t := range c.types {
			u.types[t] = true
		}
	}
	u.channels = func(channel string) bool {
		for _, c := range all {
			if c.channels == nil || c.channels(channel) {
				return true
			}
		}
		return false
	}
	return u
}

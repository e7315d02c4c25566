package notify

import "slices"

// Choice says which events are recorded or sent. It does not change once it is in use. A nil
// Choice wants nothing.
type Choice struct {
	types    map[Type]bool
	channels func(channel string) bool       // nil: all
	messages func(event, sender string) bool // nil: all
	any      []*Choice                       // not nil: the choice wants what one of them wants
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

// OnlyMessages limits a new choice to the messages for which wanted returns true. It must not
// block.
func (c *Choice) OnlyMessages(wanted func(event, sender string) bool) *Choice {
	c.messages = wanted
	return c
}

// Wants reports whether an event is chosen. The channel is empty for events of connections. A
// message needs [Choice.WantsMessage] as well.
func (c *Choice) Wants(t Type, channel string) bool {
	switch {
	case c == nil:
		return false
	case t == Lost:
		return true
	case c.any != nil:
		return slices.ContainsFunc(c.any, func(one *Choice) bool { return one.Wants(t, channel) })
	}
	return c.types[t] && (channel == "" || c.channels == nil || c.channels(channel))
}

// WantsMessage reports whether a message is chosen.
func (c *Choice) WantsMessage(channel, event, sender string) bool {
	if c != nil && c.any != nil {
		return slices.ContainsFunc(c.any, func(one *Choice) bool { return one.WantsMessage(channel, event, sender) })
	}
	return c.Wants(Message, channel) && (c.messages == nil || c.messages(event, sender))
}

// wantsEvent reports whether an event that was recorded is chosen.
func (c *Choice) wantsEvent(e *Event) bool {
	if e.Type == Message {
		return c.WantsMessage(e.Channel, e.Event, e.Sender)
	}
	return c.Wants(e.Type, e.Channel)
}

// Any reports whether one of some types is chosen, for any channel.
func (c *Choice) Any(types ...Type) bool {
	if c == nil {
		return false
	}
	return slices.ContainsFunc(types, func(t Type) bool { return c.types[t] }) ||
		slices.ContainsFunc(c.any, func(one *Choice) bool { return one.Any(types...) })
}

// union returns what at least one of several choices wants.
func union(all []*Choice) *Choice {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return &Choice{any: all}
}

package protocol

// possiblePattern rejects a pattern that is none. Package policy checks the rest.
func possiblePattern(pattern string) *Error {
	switch {
	case len(pattern) > MaxChannel:
		return Errorf(InvalidChannel, "pattern %s is longer than %d bytes", Quote(pattern), MaxChannel)
	case !IsPattern(pattern):
		return Errorf(InvalidChannel, "pattern %s has no *; subscribe to it as a channel", Quote(pattern))
	}
	return nil
}

// channelOr returns the name of a subscription: the channel, or the pattern if there is one.
func (m *members) channelOr(channel, pattern string) string {
	if pattern == "" {
		m.require("channel")
		m.check(ValidChannel, channel)
		return channel
	}
	if m.err == nil && channel != "" {
		m.err = Errorf(InvalidMessage, "payload: \"channel\" and \"pattern\" exclude each other")
	}
	return pattern
}

// appendSubscription appends the field that names a subscription: its channel or its pattern.
func appendSubscription(dst []byte, name string) []byte {
	if IsPattern(name) {
		return appendStringField(dst, "pattern", name)
	}
	return appendStringField(dst, "channel", name)
}

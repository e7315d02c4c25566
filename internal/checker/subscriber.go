package checker

import "sync"

// Subscriber records what one subscriber saw.
type Subscriber struct {
	// Set when it is made.
	c    *Checker
	name string

	mu         sync.Mutex
	channels   map[string]*stream
	reconnects int
}

// Subscribed records that a subscription started. Delivery goes on after at, which is zero
// in a channel without positions. recovered is what the server answered to a subscription
// that asked to recover, and false for the others. replay are the messages that came with
// the answer: missed ones, or history.
//
// A client that gets missed messages one by one, as with event streams, may record them
// with [Subscriber.Message] instead. The history of a subscription that did not recover
// always belongs here.
func (s *Subscriber) Subscribed(channel string, at Position, recovered bool, replay ...Message) {
	st := step{kind: subscribed, at: at, recovered: recovered}
	for _, m := range replay {
		st.add(m.Position, s.c.ids.of(m.ID))
	}
	s.record(channel, st)
}

// Message records a delivered message.
func (s *Subscriber) Message(channel string, at Position, id string) {
	n := s.c.ids.of(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stream(channel).message(at, n)
}

// Gap records that messages were lost and delivery goes on after at.
func (s *Subscriber) Gap(channel string, at Position) {
	s.record(channel, step{kind: gap, at: at})
}

// Unsubscribed records that the subscription ended, for whatever reason.
func (s *Subscriber) Unsubscribed(channel string) {
	s.record(channel, step{kind: ended})
}

// Disconnected records that the connection ended and all subscriptions with it.
func (s *Subscriber) Disconnected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reconnects++
	for _, st := range s.channels {
		st.append(step{kind: ended})
	}
}

func (s *Subscriber) record(channel string, st step) {
	st.tick = s.c.clock.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stream(channel).append(st)
}

// stream returns the record of a channel. The caller holds mu.
func (s *Subscriber) stream(channel string) *stream {
	st := s.channels[channel]
	if st == nil {
		st = new(stream)
		s.channels[channel] = st
	}
	return st
}

// behind counts the open subscriptions below the tops.
func (s *Subscriber) behind(tops map[string]map[string]uint64) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for channel, st := range s.channels {
		if st.open && st.at.Offset < tops[channel][st.at.Epoch] {
			n++
		}
	}
	return n
}

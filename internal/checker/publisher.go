package checker

import "sync"

// Publisher records what one publisher did. Record all publishers of a channel or none: a
// message that nobody sent is a fault.
type Publisher struct {
	// Set when it is made.
	c    *Checker
	name string

	mu       sync.Mutex
	channels map[string]*sendings
}

// sendings are the messages of one publisher in one channel, in order.
type sendings struct {
	list []sending
	byID map[id]int
	tops map[string]uint64 // greatest acknowledged offset of each epoch
}

// sending is what a publisher knows about one message.
type sending struct {
	id      id
	at      Position
	sent    uint64 // Checker.clock
	acked   uint64 // 0: no acknowledgement came
	retried bool
}

// Sent records that a message is about to be sent. A second Sent is a retry, which the
// order of the publisher does not cover.
func (p *Publisher) Sent(channel, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sending(channel, p.c.ids.of(id))
}

// Acked records that a message was acknowledged with a position, which is zero in a channel
// without positions. A message without [Publisher.Sent] counts as sent now.
func (p *Publisher) Acked(channel, id string, at Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.c.ids.of(id)
	l := p.channels[channel]
	if l == nil || !l.has(n) {
		l = p.sending(channel, n)
	}
	s := &l.list[l.byID[n]]
	if s.acked != 0 && s.at != at {
		// Acknowledged at two places: the log will not agree with that.
		l.list = append(l.list, sending{id: n, sent: s.sent, retried: true})
		s = &l.list[len(l.list)-1]
	}
	s.at, s.acked = at, p.c.clock.Add(1)
	l.tops[at.Epoch] = max(l.tops[at.Epoch], at.Offset)
}

// sending records a message. The caller holds mu.
func (p *Publisher) sending(channel string, n id) *sendings {
	l := p.channels[channel]
	if l == nil {
		l = &sendings{byID: make(map[id]int), tops: make(map[string]uint64)}
		p.channels[channel] = l
	}
	if l.has(n) {
		l.list[l.byID[n]].retried = true
		return l
	}
	l.byID[n] = len(l.list)
	l.list = append(l.list, sending{id: n, sent: p.c.clock.Add(1)})
	return l
}

func (l *sendings) has(n id) bool {
	_, ok := l.byID[n]
	return ok
}

// addTops raises the greatest acknowledged offsets of each channel and epoch.
func (p *Publisher) addTops(tops map[string]map[string]uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for channel, l := range p.channels {
		if tops[channel] == nil {
			tops[channel] = make(map[string]uint64)
		}
		for epoch, top := range l.tops {
			tops[channel][epoch] = max(tops[channel][epoch], top)
		}
	}
}

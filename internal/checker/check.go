package checker

import (
	"maps"
	"slices"
)

// Check compares what was recorded and returns the verdict. Open subscriptions count as
// complete, so call it when no message is on its way any more; see [Checker.Behind].
func (c *Checker) Check() *Report {
	publishers, subscribers := c.all()
	for _, p := range publishers {
		p.mu.Lock()
		defer p.mu.Unlock()
	}
	for _, s := range subscribers {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	r := &Report{Counts: make(map[Kind]int), Subscribers: len(subscribers), examples: c.o.Examples}
	channels := channelsOf(publishers, subscribers)
	r.Channels = len(channels)
	for _, channel := range channels {
		c.checkChannel(r, channel, publishers, subscribers)
	}
	for _, s := range subscribers {
		r.Disconnects += s.reconnects
	}
	return r
}

// channelsOf returns all channels, ordered by name.
func channelsOf(publishers []*Publisher, subscribers []*Subscriber) []string {
	all := make(map[string]struct{})
	for _, p := range publishers {
		for channel := range p.channels {
			all[channel] = struct{}{}
		}
	}
	for _, s := range subscribers {
		for channel := range s.channels {
			all[channel] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// checkChannel judges one channel. Channels do not depend on each other.
func (c *Checker) checkChannel(r *Report, channel string, publishers []*Publisher, subscribers []*Subscriber) {
	l := &ledger{
		o:      c.o,
		sent:   make(map[id]origin),
		epochs: make(map[string]*epoch),
		older:  make(map[Position][]id),
		placed: make(map[id]Position),
		name:   c.ids.name,
		report: func(f Fault) {
			f.Channel = channel
			r.add(f)
		},
	}
	for i, p := range publishers {
		if s := p.channels[channel]; s != nil {
			l.learn(i, s.list)
			r.count(s)
		}
	}
	l.settle()
	for _, s := range subscribers {
		if st := s.channels[channel]; st != nil {
			l.judge(s.name, st)
			r.countSteps(st)
		}
	}
}

// judge checks one stream.
func (l *ledger) judge(subscriber string, st *stream) {
	j := &judge{ledger: l, subscriber: subscriber, filter: st.passes, seen: make(map[id]struct{}), orders: make(map[int]int)}
	for i := range st.steps {
		j.step(&st.steps[i])
	}
	j.end()
}

// fault reports a fault of this subscriber.
func (j *judge) fault(f Fault) {
	f.Subscriber = j.subscriber
	j.report(f)
}

func (r *Report) count(l *sendings) {
	r.Sent += len(l.byID)
	for _, i := range l.byID {
		if l.list[i].acked != 0 {
			r.Acked++
		}
	}
}

func (r *Report) countSteps(st *stream) {
	for _, s := range st.steps {
		switch s.kind {
		case gap:
			r.Gaps++
		case subscribed:
			r.Subscriptions++
			if s.recovered {
				r.Recovered++
			}
		}
		for _, run := range s.runs {
			r.Delivered += len(run.ids)
		}
	}
}

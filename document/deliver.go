package document

// What a document keeps of the changes that this node was told of and that are not in
// its state yet. What is more is read from the store.
const (
	maxHeard      = 64
	maxHeardBytes = 16 << 10
)

// heard are changes that were announced on this node since the document was used last.
// They are made when it is used again: whoever announces them has no time for that.
type heard struct {
	epoch   string
	entries []Entry
	bytes   int
	lost    bool // there was more
}

func (h *heard) add(epoch string, e Entry) {
	if h.epoch != epoch {
		*h = heard{epoch: epoch, lost: h.lost || len(h.entries) > 0}
	}
	if h.bytes += e.Bytes(); len(h.entries) == maxHeard || h.bytes > maxHeardBytes {
		h.miss()
		return
	}
	h.entries = append(h.entries, e)
}

func (h *heard) miss() { *h = heard{lost: true} }

// Changed implements [Sink]. Whoever is told of a change finds it in what is read from
// then on.
func (s *Service) Changed(channel, epoch string, entries ...Entry) {
	for _, e := range entries {
		s.mu.Lock()
		origin := s.arrive(channel, epoch, &e)
		if d := s.cache.docs[channel]; d != nil {
			d.heard.add(epoch, e)
		}
		s.mu.Unlock()
		s.announce(News{channel, epoch, e, origin})
	}
}

// Missed implements [Sink].
func (s *Service) Missed(channel string) {
	s.mu.Lock()
	if d := s.cache.docs[channel]; d != nil {
		d.heard.miss()
	}
	s.mu.Unlock()
	s.announce(News{Channel: channel})
}

func (s *Service) takeHeard(d *doc) heard {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := d.heard
	d.heard = heard{}
	return h
}

// catchUp makes the changes that were announced here. Needs the turn.
func (d *doc) catchUp(o Options) {
	h := d.service.takeHeard(d)
	d.behind = d.behind || h.lost
	for _, e := range h.entries {
		if h.epoch == d.state.Epoch && e.Version <= d.state.Version {
			continue
		}
		if d.behind || h.epoch != d.state.Epoch || d.replay(e, o) != nil {
			d.behind = true
			return
		}
	}
}

// follows reports that the state is the latest one that this node was told of, and
// that it is told of all. Needs the turn.
func (d *doc) follows(o Options) bool {
	d.catchUp(o)
	s := d.service
	s.mu.Lock()
	defer s.mu.Unlock()
	return d.state.Epoch != "" && !d.behind && s.cache.attached[d.channel] > 0
}

package document

// maxHeard and maxHeardBytes bound the entries in heard. Beyond them the document is read
// from the store.
const (
	maxHeard      = 64
	maxHeardBytes = 16 << 10
)

// heard are the changes that were announced on this node since the document was used last.
// The next use applies them to the state, because the goroutine that announces them must
// not be delayed.
type heard struct {
	epoch   string
	entries []Entry
	bytes   int
	lost    bool // there were more
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

// Changed implements [Sink]. It notes a change before it announces it, so that a read that
// follows the announcement includes the change.
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

// catchUp applies the changes in heard to the state. Needs the turn.
func (d *doc) catchUp(o Options) {
	h := d.service.takeHeard(d)
	d.missed = d.missed || h.lost
	for _, e := range h.entries {
		if h.epoch == d.state.Epoch && e.Version <= d.state.Version {
			continue
		}
		if d.missed || h.epoch != d.state.Epoch || d.replay(e, o) != nil {
			d.missed = true
			return
		}
	}
}

// upToDate reports whether the document is attached and the state has all changes that were
// announced on this node. Needs the turn.
func (d *doc) upToDate(o Options) bool {
	d.catchUp(o)
	s := d.service
	s.mu.Lock()
	defer s.mu.Unlock()
	return d.state.Epoch != "" && !d.missed && s.cache.attached[d.channel] > 0
}

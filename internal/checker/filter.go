package checker

// Filter records that the subscriber has a filter in a channel, from the start of the record to its
// end. passes reports whether a message passes; it is called by [Checker.Check] alone. What does not
// pass must not come, and need not be explained. Filters are for channels with positions.
func (s *Subscriber) Filter(channel string, passes func(id string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stream(channel).passes = passes
}

// Position records that the server has said how far the channel is: what lies before and passes the
// filter has come.
func (s *Subscriber) Position(channel string, at Position) {
	s.record(channel, step{kind: positioned, at: at})
}

// unfiltered reports whether all messages pass.
func (j *judge) unfiltered() bool { return j.filter == nil }

// positioned checks what the server says about its position.
func (j *judge) positioned(s *step) {
	switch {
	case !j.open:
		j.fault(faultAt(Stray, s.at, "a position outside a subscription"))
	case !j.known || s.at.Epoch != j.last.Epoch:
		j.fault(faultAt(Missing, s.at, "a position in another epoch than %s, without a gap", j.last.Epoch))
		j.restart(s.at, s.tick)
	case s.at.Offset > j.last.Offset:
		j.skip(span{j.last.Offset + 1, s.at.Offset})
		j.last.Offset = s.at.Offset
	}
}

// skip notes that a range of offsets was passed over.
func (j *judge) skip(s span) { j.holes = append(j.holes, j.wanted(j.last.Epoch, s)...) }

// mostSkipped is the longest range that is looked through. A longer one is a wrong offset.
const mostSkipped = 1 << 20

// wanted returns those parts of a range that the subscriber must see. A message that nobody knows is
// not one of them if there is a filter: it may be one that does not pass.
func (j *judge) wanted(epoch string, s span) (parts []span) {
	if j.unfiltered() || s.last-s.first > mostSkipped {
		return []span{s}
	}
	e := j.epoch(epoch)
	for offset := s.first; offset <= s.last; offset++ {
		if n := *e.at.of(offset); n != 0 && j.filter(j.name(n)) {
			parts = extend(parts, offset)
		}
	}
	return parts
}

// missing reports those parts of a range that should have come.
func (j *judge) missing(kind Kind, epoch string, s span, text string, args ...any) {
	for _, part := range j.wanted(epoch, s) {
		j.fault(faultOver(kind, epoch, part, text, args...))
	}
}

// unwanted reports messages of a run that do not pass.
func (j *judge) unwanted(r *run) {
	if j.unfiltered() {
		return
	}
	for i, n := range r.ids {
		if !j.filter(j.name(n)) {
			j.fault(faultAt(Unwanted, Position{r.epoch, r.first + uint64(i)}, "%s does not pass the filter", j.name(n)))
		}
	}
}

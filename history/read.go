package history

// Newest returns the newest entries, at most limit, oldest first.
func (l *Log[T]) Newest(limit int) []T {
	n := min(max(limit, 0), l.slots.n)
	return l.values(l.slots.n-n, n)
}

// Since returns what follows a position, at most limit entries, oldest first.
// When the outcome is one of those that are lost, they are the oldest entries
// that are kept: a reader that starts over may begin with them.
func (l *Log[T]) Since(since Position, limit int) ([]T, Outcome) {
	e := l.Extent()
	o := e.Decide(since, l.anchorAt(since), limit)
	skip := 0
	if !o.Lost() {
		skip = int(since.Offset + 1 - e.First)
	}
	return l.values(skip, min(max(limit, 0), l.slots.n-skip)), o
}

// anchorAt is the anchor of the log's own entry at the offset of p, or 0 when it
// is not known any longer. The entry just before the oldest one is remembered by
// its anchor, because a reader that has exactly what was trimmed misses nothing.
func (l *Log[T]) anchorAt(p Position) uint32 {
	switch first := l.top + 1 - uint64(l.slots.n); {
	case p.Offset > l.top || p.Offset+1 < first:
		return 0
	case p.Offset+1 == first:
		return l.before
	default:
		return l.slots.at(int(p.Offset - first)).anchor
	}
}

// values copies n entries, beginning with the skip-th oldest.
func (l *Log[T]) values(skip, n int) []T {
	if n <= 0 {
		return nil
	}
	vs := make([]T, n)
	for i := range vs {
		vs[i] = l.slots.at(skip + i).value
	}
	return vs
}

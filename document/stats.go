package document

// Stats are figures for an operator.
type Stats struct {
	// Open is how many documents have subscribers on this node.
	Open int
	// Divergences is [Service.Divergences].
	Divergences uint64
}

// Stats returns the current figures.
func (s *Service) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Open: len(s.cache.attached), Divergences: s.divergences.Load()}
}

package session

// Connections is notified of the connections of this node. Its methods must not block. They are
// called with a lock of the session held.
type Connections interface {
	// Connect is called when a connection is open. The user is empty if it is not known.
	Connect(connection, user string)
	// Disconnect is called when it has ended, with the user that it had in the end.
	Disconnect(connection, user string)
}

// WatchConnections sets what is notified of connections from now on; nil: nothing. It is first
// notified of those that are open.
func (r *Registry) WatchConnections(w Connections) {
	r.applying.Lock()
	defer r.applying.Unlock()
	if w == nil {
		r.sessions.watch.Store(nil)
		return
	}
	r.sessions.watch.Store(&w)
	for _, s := range r.sessions.snapshot() {
		s.reportOpen()
	}
}

// reportOpen notifies of a session that may be open.
func (s *Session) reportOpen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && !s.over {
		s.report(Connections.Connect)
	}
}

// report notifies of the session, if anything wants that. Needs mu and conn.
func (s *Session) report(what func(w Connections, connection, user string)) {
	if w := s.registry.sessions.watch.Load(); w != nil {
		what(*w, s.conn.ID(), s.who().User)
	}
}

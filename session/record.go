package session

import "context"

// Recorder records for the app what only dialects know. Its methods may block.
type Recorder interface {
	// Missed is called when a client has subscribed to a channel that should have an event for it and
	// has none.
	Missed(ctx context.Context, channel string) error
	// Counted is called when the number of subscriptions of a channel, over all nodes, has changed.
	Counted(ctx context.Context, channel string, subscriptions int) error
}

// WithRecorder sets what records. Without it nothing is recorded. It is called before the first
// session is opened, and returns r.
func (r *Registry) WithRecorder(w Recorder) *Registry {
	r.recorder = w
	return r
}

// RecordMissed records that the client has found no event in a channel.
func (s *Session) RecordMissed(channel string) {
	r := s.registry
	if r.recorder == nil {
		return
	}
	if err := r.recorder.Missed(s.Context(), channel); err != nil {
		r.rules.Load().log.Warn("an event for the app could not be recorded", "error", err, "channel", channel)
	}
}
